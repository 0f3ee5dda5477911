#!/usr/bin/env bash
# The life of the package in a booted Debian container: install, start, kill, watchdog, reload, upgrade
# under load, downgrade, damage, reboot, remove, reinstall, purge, a stranger's first five minutes; and the
# .rpm as far as Debian allows. Prints a table, and ends with 1 on any breach.
#
#   packaging/lifecycle.sh [NAME-OF-STEP…]     all steps, or install and those named
#
# Needs root, mmdebstrap, systemd-nspawn, openssl, rpm, what packaging/build.sh needs, and the observer's
# Python (README). What it makes stands in target/lifecycle; the container's template is made once.
# EMFLOW_PACKAGES=keep takes the packages of the run before.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$root/target/lifecycle
template=${EMFLOW_TEMPLATE:-$work/template}
machine=$work/machine
python=$root/target/venv/bin/python
old=0.0.9
new=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
url=https://localhost:8443

[ "$(id -u)" = 0 ] || { echo "cannot run: needs root"; exit 2; }
for tool in mmdebstrap systemd-nspawn nsenter openssl rpm cargo-deb cargo-generate-rpm "$python"; do
  command -v "$tool" >/dev/null || { echo "cannot run: $tool is missing"; exit 2; }
done

mkdir -p "$work/logs"
rm -f "$work"/logs/*

# --- the packages and the machine ------------------------------------------------------------------

# The older one is this source under an older version: its program says so, and writes so into the store.
# It is built in the place of the newer one, so that of all it is made of only the program is compiled
# anew. What really older versions wrote is tested with golden stores.
build_old() {
  local source=$work/old-source
  rm -rf "$source"
  mkdir -p "$source/target"
  git ls-files -z | xargs -0 cp --parents -t "$source"
  sed -i "0,/^version = .*/s//version = \"$old\"/" "$source/Cargo.toml"
  sed -i "/^name = \"emflow\"$/{n;s/.*/version = \"$old\"/}" "$source/Cargo.lock"
  sed -i "1s/([^)]*)/($old-1)/" "$source/packaging/debian/changelog"
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
  export SOURCE_DATE_EPOCH
  unshare --mount bash -euc "
    mount --bind '$root/target' '$source/target'
    mount --rbind '$source' '$root'
    cd '$root'
    packaging/build.sh '$work/old'"
}
if [ "${EMFLOW_PACKAGES:-}" != keep ]; then
  build_old >"$work/logs/build-old.log" 2>&1
  packaging/build.sh "$work/new" >"$work/logs/build-new.log" 2>&1
fi

if [ ! -d "$template" ]; then
  mmdebstrap --variant=minbase --include=systemd,systemd-sysv,dbus,procps,ca-certificates bookworm "$template" \
    >"$work/logs/mmdebstrap.log" 2>&1
fi
rm -rf "$machine"
cp -a "$template" "$machine"
echo emflow-test > "$machine/etc/hostname"
printf '127.0.0.1 localhost emflow-test\n::1 localhost\n' > "$machine/etc/hosts"
cp "$work/old/emflow_$old-1_amd64.deb" "$work/new/emflow_$new-1_amd64.deb" "$machine/root/"

nspawn=""
pid=""
boot() {
  systemd-nspawn --quiet -D "$machine" --register=no --keep-unit --private-network --boot --console=pipe \
    </dev/null >>"$work/logs/console.log" 2>&1 &
  nspawn=$!
  until_true 30 first_process
  until_true 60 booted
  # Steps run in shells of their own, and one of them boots.
  echo "nspawn=$nspawn pid=$pid" > "$work/numbers"
}
first_process() { pid=$(pgrep -P "$nspawn" -x systemd | head -1); [ -n "$pid" ]; }
booted() { inside systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded'; }
halt() {
  inside systemctl poweroff >/dev/null 2>&1 || true
  until_true 60 stopped
}
stopped() { ! kill -0 "$nspawn" 2>/dev/null; }
trap '[ -z "$nspawn" ] || stopped || kill "$nspawn"' EXIT

# In the container; and on this machine, but in the container's network.
inside() { nsenter -t "$pid" -m -u -i -p -n "$@"; }
beside() { nsenter -t "$pid" -n "$@"; }

until_true() {
  local seconds=$1; shift
  for _ in $(seq $((seconds * 5))); do if "$@"; then return 0; fi; sleep 0.2; done
  echo "not within $seconds s: $*"
  return 1
}

# --- what steps are made of ------------------------------------------------------------------------

authority() { echo "$machine/var/lib/emflow/tls/authority.pem"; }
get() { beside curl --silent --show-error --max-time 5 --cacert "$(authority)" "$url$1"; }
ready() { get /readyz >/dev/null 2>&1 && [ "$(beside curl --silent --max-time 5 --cacert "$(authority)" -o /dev/null -w '%{http_code}' "$url/readyz")" = 200 ]; }
shows() { inside systemctl show --property="$1" --value emflow; }
is() { local found; found=$("${@:2}") || true; [ "$found" = "$1" ] || { echo "expected '$1', found '$found': ${*:2}"; return 1; }; }
# The output of a command has the words, however the command ends.
says() { local words=$1 text; shift; text=$("$@" 2>&1) || true; grep -qF -- "$words" <<<"$text" || { echo "not said: '$words' in: $text"; return 1; }; }
main_pid() { shows MainPID; }
fingerprint() { beside openssl s_client -connect localhost:8443 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256; }

crowd=""
crowd_in() {
  rm -f "$work/stop" "$work/stop.begun"
  beside "$python" tests/observer/crowd.py --url "$url" --ca "${1:-$(authority)}" --stop "$work/stop" >"$work/logs/crowd.log" 2>&1 &
  crowd=$!
  until_true 30 test -e "$work/stop.begun"
}
crowd_out() {
  touch "$work/stop"
  local code=0
  wait "$crowd" || code=$?
  cat "$work/logs/crowd.log"
  return "$code"
}

# What a step that failed has left must not fail the next ones.
orderly() {
  find "$machine/etc/emflow/conf.d" -name '*.toml' ! -name 50-room.toml -delete
  rm -rf "$machine/etc/systemd/system/emflow.service.d" "$machine/etc/systemd/system/emflow-listen.socket.d" \
    "$machine/etc/credstore" "$machine/etc/emflow/tls"
  inside systemctl daemon-reload
  if [ -e "$machine/usr/bin/emflow" ] && ! ready; then
    inside systemctl disable --now emflow-listen.socket
    inside systemctl reset-failed emflow
    inside systemctl restart emflow
    until_true 20 ready
  fi
}

failed=0
wanted=" $* "
row() { printf '| %-34s | %-6s | %5s s | %s\n' "$1" "$2" "$3" "$4"; }
step() {
  local name=$1 what=$2 began=$SECONDS code=0 log="$work/logs/$1.log"
  if [ "$wanted" != "  " ] && [ "$name" != install ] && [[ "$wanted" != *" $name "* ]]; then return 0; fi
  if [ "$name" != install ]; then orderly >/dev/null 2>&1 || true; fi
  # Not in a condition: there `set -e` would not hold inside.
  set +e
  ( set -e; "step_$name" ) >"$log" 2>&1
  code=$?
  set -e
  # shellcheck source=/dev/null
  . "$work/numbers"
  if [ "$code" = 0 ]; then
    row "$name" passes $((SECONDS - began)) "$what"
  else
    failed=1
    row "$name" FAILS $((SECONDS - began)) "$what"
    tail -5 "$log" | sed 's/^/    /'
    inside journalctl --no-pager -u emflow -n 40 >>"$log" 2>&1 || true
  fi
}

# --- the steps -------------------------------------------------------------------------------------

. packaging/lifecycle/service.sh
. packaging/lifecycle/package.sh

boot
printf '| %-34s | %-6s | %7s | %s\n' step result time "what is held"
step install "service active, enabled, private files, status told"
step hardening "systemd-analyze security <= 1.3, limits"
step operator "preflight, doctor, trust, manual, completions"
step administrator "emflow admin by root, beside the hardened service"
step kill "kill -9 under load: started again, nothing lost"
step watchdog "a stopped process is ended and started again"
step configuration "a wrong file is named, refused once, and changes nothing"
step credential "a secret from systemd, not in the journal"
step certificate "reload under load; a wrong pair refused"
step upgrade "under load: nothing lost, clients return, edits kept"
step downgrade "refused with its reason; the service goes on"
step go_back "remove, install the older one: the data are there; and forward again"
step newer_store "what a newer version wrote is left as it is: exit 74, not tried again"
step restart_refuses_nobody "with emflow-listen.socket: every knock answered"
step low_port "443 without a right of the service"
step damage "exit 74, said, not started again"
step reboot "up by itself, the same authority"
step remove "program gone, data and configuration kept"
step reinstall "data and edits are there again"
step purge "nothing left but the system user"
step masked "a masked unit is no failure"
step offline "installed and answering with nothing but a loopback"
step first_minutes "a stranger by docs/install.md: trusted certificate, own password"
step rpm "files, edit kept, downgrade refused, erase (in a Debian tree)"
halt
exit "$failed"
