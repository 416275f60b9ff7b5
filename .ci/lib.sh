# Shared by .ci/run and .ci/checks/*; sourced, from the top of the repository, by bash.
# shellcheck shell=bash disable=SC2034 # the checks use what is set here
set -euo pipefail

# With this variable each of the hundreds of processes that the tests start would compile the package again.
unset PYTHONDONTWRITEBYTECODE
export CI=true NO_COLOR=1 UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1 UV_LINK_MODE=copy
BIN=$PWD/.venv/bin
UV=$PWD/.venv-lock/bin/uv
# A check that hangs must not eat the time of the others.
SUITE_LIMIT_S=${SUITE_LIMIT_S:-1500}

scratch() { # make a folder in $SCRATCH that goes away with the script
  SCRATCH=$(mktemp -d)
  trap 'rm -rf "$SCRATCH"' EXIT
}

quietly() { # run a command; show what it said only if it failed
  local log result=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || result=$?
  [ "$result" -eq 0 ] || { cat "$log"; echo "failed ($result): $*"; }
  rm -f "$log"
  return "$result"
}

have_python() { # is there a Python with which the Makefile can start?
  local name
  for name in python3 python3.13 python3.12 python3.11 python3.10; do
    "$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && return
  done
  return 1
}

system_packages() { # whatever a bare Debian lacks
  local missing=()
  command -v make >/dev/null || missing+=(make)
  command -v curl >/dev/null || missing+=(curl)
  have_python || missing+=(python3 python3-venv)
  command -v npm >/dev/null || missing+=(nodejs npm)
  command -v chromium >/dev/null || missing+=(chromium)
  php -r 'exit(extension_loaded("curl") ? 0 : 1);' 2>/dev/null || missing+=(php-cli php-curl)
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "installing: ${missing[*]}"
  local root=()
  [ "$(id -u)" -eq 0 ] || root=(sudo)
  export DEBIAN_FRONTEND=noninteractive
  quietly "${root[@]}" apt-get update -qq
  quietly "${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

node_tools() { # what .ci/node locks; several checks may ask for it at the same time
  local stamp=.ci/node/node_modules/.locked
  (
    flock 9
    cmp -s .ci/node/package-lock.json "$stamp" && exit
    cd .ci/node
    quietly npm ci --ignore-scripts --no-audit --no-fund
    cp package-lock.json node_modules/.locked
  ) 9>"${TMPDIR:-/tmp}/patchworks-sandbox-node-$(id -u).lock"
}

java_runtime() { # whichever the machine has, or Debian's
  command -v java >/dev/null || quietly apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends default-jre-headless
}

php_libraries() { # what the blocks in PHP use
  [ -e /usr/share/php/JsonSchema/autoload.php ] ||
    quietly apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends php-json-schema php-symfony-yaml
}

serve_sandbox() { # a sandbox for the rest of the script, after scratch; it is ready when $SCRATCH/ready.json is there
  "$BIN/patchworks-sandbox" serve --port 0 --ready-file "$SCRATCH/ready.json" >"$SCRATCH/sandbox.log" 2>&1 &
  # shellcheck disable=SC2064 # this server's number, not that of whatever is last in the background then
  trap "kill $! 2>/dev/null; rm -rf '$SCRATCH'" EXIT
  local tries
  for ((tries = 0; tries < 200; tries++)); do
    [ ! -e "$SCRATCH/ready.json" ] || return 0
    sleep 0.1
  done
  cat "$SCRATCH/sandbox.log"
  return 1
}

find_python() { # find_python 3.12: print the path of that Python, if the machine has one
  local candidate
  for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
    "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null || continue
    "$candidate" -c 'import sys; print(sys.executable)'
    return
  done
  return 1
}

suite_with() { # suite_with PYTHON LOCK [pytest options]: `make test`, or the paths given, in an environment of its own
  local python=$1 lock=$2 result=0
  shift 2
  make --no-print-directory --silent uv
  quietly "$UV" venv --python "$python" "$SCRATCH/venv"
  quietly "$UV" pip sync --compile-bytecode --python "$SCRATCH/venv/bin/python" --require-hashes "$lock"
  quietly "$UV" pip install --python "$SCRATCH/venv/bin/python" --no-deps --no-build-isolation --editable .
  # What a browser finds does not depend on the Python. One process: other checks have the other cores.
  # pytest ends with 5 if no test ran, which is a failure as well.
  PATH=$SCRATCH/venv/bin:$PATH timeout --kill-after=10 "$SUITE_LIMIT_S" \
    "$SCRATCH/venv/bin/python" -m pytest -q -p no:cacheprovider --ignore tests/web/dashboard "$@" </dev/null >"$SCRATCH/log" 2>&1 || result=$?
  if [ "$result" -eq 0 ]; then tail -n 1 "$SCRATCH/log"; else cat "$SCRATCH/log"; fi
  [ "$result" -ne 124 ] || echo "stopped after $SUITE_LIMIT_S s"
  return "$result"
}
