# The two commands of the README: `make serve` and `make test`. Everything else is CMake (see CMakePresets.json).
APT := ca-certificates ccache cmake g++ git ninja-build pkg-config libcli11-dev libcpp-httplib-dev libevent-dev libfmt-dev \
       libhwloc-dev libpcre2-dev libspdlog-dev libssl-dev libxxhash-dev libyaml-cpp-dev libzstd-dev nlohmann-json3-dev \
       prometheus-cpp-dev zlib1g-dev doctest-dev python3 python3-jinja2 zsh fish

.PHONY: packages build test serve
packages:
	@missing=; for p in $(APT); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q '^install ok' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  echo "installing:$$missing"; \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -q && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	fi

test: packages
	cmake --workflow --preset ci
