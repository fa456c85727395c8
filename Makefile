# The two commands of the README: `make serve` (MODEL=file.gguf serves that) and `make test`. Everything else is CMake (see CMakePresets.json).
APT := ca-certificates ccache cmake g++ git ninja-build pkg-config libcli11-dev libcpp-httplib-dev libevent-dev libfmt-dev \
       libhwloc-dev libpcre2-dev libspdlog-dev libssl-dev libxxhash-dev libyaml-cpp-dev libzstd-dev nlohmann-json3-dev \
       prometheus-cpp-dev zlib1g-dev
APT_TEST := doctest-dev dpkg-dev fakeroot file man-db openssl python3 python3-jinja2 zsh fish
APT_FUZZ := clang libclang-rt-14-dev

AICTL := build/release/aictl
FUZZ_SECONDS ?= 30

.PHONY: serve test build packages packages-test packages-fuzz sanitize sanitize-address sanitize-thread fuzz

serve: build
	$(AICTL) serve $(MODEL)

build: packages
	cmake --preset release
	cmake --build --preset release --target aictl

test: packages packages-test
	cmake --workflow --preset ci

# The suite under the address and undefined-behaviour sanitizers, in the fuzzers' build by clang; then under the thread
# sanitizer. What only looks at files is left out.
SANITIZED := -E '^(package|fresh|golden|completion|lint.*|e2e_clients)$$'
sanitize: sanitize-address sanitize-thread
sanitize-address: packages packages-test packages-fuzz
	cmake --preset fuzz && cmake --build --preset fuzz && ctest --preset fuzz $(SANITIZED)
sanitize-thread: packages packages-test
	cmake --preset tsan && cmake --build --preset tsan && ctest --preset tsan $(SANITIZED)

# Each fuzz target for FUZZ_SECONDS, from the corpus in the tree; what it finds stays in build/fuzz.
fuzz: packages packages-fuzz
	cmake --preset fuzz
	cmake --build --preset fuzz --target fuzzers
	tests/fuzz/run_all build/fuzz $(FUZZ_SECONDS)

define install_missing
	@missing=; for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q '^install ok' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  echo "installing:$$missing"; \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -q && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	fi
endef

packages:
	$(call install_missing,$(APT))
packages-test:
	$(call install_missing,$(APT_TEST))
packages-fuzz:
	$(call install_missing,$(APT_FUZZ))
