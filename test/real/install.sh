#!/usr/bin/env bash
# Installs what the tests against third-party systems need: nginx with JavaScript, HAProxy and Node from Debian's packages,
# and oidc-provider from npm. What is there already is left alone, so a second run takes no time.
set -euo pipefail
cd "$(dirname "$0")"

has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

packages=()
has nginx || packages+=(nginx)
[ -e /usr/lib/nginx/modules/ngx_http_js_module.so ] || packages+=(libnginx-mod-http-js)
has haproxy || packages+=(haproxy)
has node || packages+=(nodejs)
has npm || packages+=(npm)

if [ ${#packages[@]} -gt 0 ]; then
  if ! has apt-get; then
    echo "test/real: install these by hand: ${packages[*]}; without them the tests against real systems are skipped" >&2
    exit 0
  fi
  sudo=()
  if [ "$(id -u)" != 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      echo "test/real: run as root once: apt-get install ${packages[*]}; without them the tests against real systems are skipped" >&2
      exit 0
    fi
    sudo=(sudo -n)
  fi
  export DEBIAN_FRONTEND=noninteractive
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

# npm writes the lock's copy into node_modules when it has installed all of it.
if [ ! oidc-provider/node_modules/.package-lock.json -nt oidc-provider/package-lock.json ]; then
  npm ci --prefix oidc-provider --omit=dev --no-audit --no-fund --silent
fi
