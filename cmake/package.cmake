# What is installed, and the Debian package of it: everything stands where Debian's own packages have it.
include(GNUInstallDirs)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # packing does not build the tests

install(TARGETS aictl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES completions/aictl.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME aictl)
install(FILES completions/_aictl DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES completions/aictl.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

# Pages and the changelog are compressed as they are installed, without a time stamp. $ENV{DESTDIR} and the prefix are
# known only then.
find_program(GZIP gzip REQUIRED)
install(CODE "
  function(install_compressed file folder name)
    set(folder \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/\${folder})
    file(MAKE_DIRECTORY \${folder})
    message(STATUS \"Installing: \${folder}/\${name}.gz\")
    execute_process(COMMAND ${GZIP} -9nc \${file} OUTPUT_FILE \${folder}/\${name}.gz COMMAND_ERROR_IS_FATAL ANY)
    file(CHMOD \${folder}/\${name}.gz PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  endfunction()
  file(GLOB pages ${PROJECT_SOURCE_DIR}/man/*.[1-9])
  foreach(page IN LISTS pages)
    get_filename_component(name \${page} NAME)
    string(REGEX MATCH \"[1-9]$\" section \${name})
    install_compressed(\${page} ${CMAKE_INSTALL_MANDIR}/man\${section} \${name})
  endforeach()
  install_compressed(${PROJECT_SOURCE_DIR}/CHANGELOG.md ${CMAKE_INSTALL_DOCDIR} changelog)
")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME aictl)
# Debian's Maintainer field says who made the package: as its own tools do, take that from DEBFULLNAME and DEBEMAIL. A
# package made without them names the project, which has no address.
set(CPACK_PACKAGE_CONTACT "The aictl authors")
if(DEFINED ENV{DEBEMAIL})
  set(maintainer "$ENV{DEBFULLNAME}")
  if(NOT maintainer)
    set(maintainer "${CPACK_PACKAGE_CONTACT}")
  endif()
  set(CPACK_PACKAGE_CONTACT "${maintainer} <$ENV{DEBEMAIL}>")
endif()
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
    WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "${PROJECT_DESCRIPTION}
 Runs language models on this machine: reads GGUF files, computes on the CPU and
 answers in the formats applications already speak.")
include(CPack)
