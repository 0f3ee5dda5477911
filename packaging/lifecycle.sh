#!/usr/bin/env bash
# The life of the package in a booted Debian container: install, start, kill, watchdog, reload, upgrade
# under load, downgrade, damage, reboot, remove, reinstall, purge; and the .rpm as far as Debian allows.
# Prints a table, and ends with 1 on any breach.
#
#   packaging/lifecycle.sh [NAME-OF-STEP…]     all steps, or install and those named
#
# Needs root, mmdebstrap, systemd-nspawn, openssl, rpm, what packaging/build.sh needs, and the observer's
# Python (README). What it makes stands in target/lifecycle; the container's template is made once.
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

# The older one differs by its version alone: what a version writes is tested with golden stores.
packaging/build.sh "$work/new" >"$work/logs/build-new.log" 2>&1
EMFLOW_NO_BUILD=1 EMFLOW_VERSION=$old packaging/build.sh "$work/old" >"$work/logs/build-old.log" 2>&1

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
is() { local found; found=$("${@:2}"); [ "$found" = "$1" ] || { echo "expected '$1', found '$found': ${*:2}"; return 1; }; }
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

step_install() {
  mkdir -p "$machine/etc/emflow/conf.d"
  # Room for a crowd from one address; and what stands in conf.d before is taken.
  conf 50-room <<<'[limits]
attempts_per_minute = 100000
messages_per_minute = 100000'
  inside dpkg -i "/root/emflow_$old-1_amd64.deb"
  until_true 30 ready
  is active inside systemctl is-active emflow
  is enabled inside systemctl is-enabled emflow
  says "serving 0 sockets" shows StatusText
  is "700 emflow:emflow" inside stat -c '%a %U:%G' /var/lib/emflow
  is "640 root:emflow" inside stat -c '%a %U:%G' /etc/emflow/config.toml
  is 0 bash -c "find '$machine/var/lib/emflow' -type f -perm /077 | wc -l"
  inside emflow --version
}

step_hardening() {
  local level
  level=$(inside systemd-analyze security emflow --no-pager | sed -n 's/.*exposure level for emflow.service: \([0-9.]*\).*/\1/p')
  echo "exposure $level"
  awk "BEGIN { exit !($level <= 1.3) }"
  is 0 inside awk '/Max core file size/ {print $5}' "/proc/$(main_pid)/limits"
  is 65536 shows LimitNOFILE
}

step_operator() {
  says "emflow serves on 0.0.0.0:8443" inside emflow preflight
  says "Ready to serve." inside emflow preflight
  inside emflow doctor --output /tmp/support.txt
  says "serving 0 sockets" cat "$machine/tmp/support.txt"
  inside test -s /usr/share/man/man5/emflow.toml.5.gz
  inside bash -c '. /usr/share/bash-completion/completions/emflow'
  says "update-ca-certificates" inside emflow trust --print
  inside emflow trust --yes
  inside bash -c 'openssl s_client -connect localhost:8443 -verify_return_error -verify_hostname localhost </dev/null'
  inside emflow trust --remove --yes
  inside test ! -e /etc/ssl/certs/emflow-local-authority-emflow-test.pem
}

step_kill() {
  local before; before=$(main_pid)
  crowd_in
  inside systemctl kill -s KILL emflow
  until_true 20 bash -c "[ \"\$(nsenter -t $pid -m -p systemctl show -p MainPID --value emflow)\" != '$before' ]"
  until_true 20 ready
  crowd_out
}

step_watchdog() {
  drop_in watchdog '[Service]' 'WatchdogSec=4s'
  inside systemctl restart emflow
  until_true 20 ready
  local before; before=$(shows NRestarts)
  inside systemctl kill -s STOP emflow
  until_true 60 bash -c "[ \"\$(nsenter -t $pid -m -p systemctl show -p NRestarts --value emflow)\" -gt '$before' ]"
  until_true 20 ready
  says "Watchdog timeout" inside journalctl --no-pager -u emflow -n 30
  drop_out watchdog
}

drop_in() {
  mkdir -p "$machine/etc/systemd/system/emflow.service.d"
  printf '%s\n' "${@:2}" > "$machine/etc/systemd/system/emflow.service.d/$1.conf"
  inside systemctl daemon-reload
}
drop_out() {
  rm -f "$machine/etc/systemd/system/emflow.service.d/$1.conf"
  inside systemctl daemon-reload
}
conf() { mkdir -p "$machine/etc/emflow/conf.d"; cat > "$machine/etc/emflow/conf.d/$1.toml"; }

step_configuration() {
  conf 90-wrong <<<'[server]
listne = "0.0.0.0:8443"'
  local before restarts; before=$(main_pid) restarts=$(shows NRestarts)
  # A reload refuses it, names it, and changes nothing.
  says "Job for emflow.service failed" inside systemctl reload emflow
  says "90-wrong.toml:2: server.listne: unknown key; did you mean server.listen?" inside journalctl --no-pager -u emflow -n 20
  is "$before" main_pid
  ready
  # A start refuses it too, once.
  inside systemctl restart emflow || true
  is failed inside systemctl is-active emflow
  sleep 3
  is failed inside systemctl is-active emflow
  is "$restarts" shows NRestarts
  rm "$machine/etc/emflow/conf.d/90-wrong.toml"
  inside systemctl reset-failed emflow
  inside systemctl start emflow
  until_true 20 ready
}

step_credential() {
  mkdir -p "$machine/etc/credstore"
  printf 'open-sesame-%s' "$RANDOM" > "$machine/etc/credstore/auth.access_code"
  chmod 600 "$machine/etc/credstore/auth.access_code"
  conf 60-code <<<'auth.visitors = "access_code"'
  inside systemctl restart emflow
  until_true 20 ready
  local code; code=$(cat "$machine/etc/credstore/auth.access_code")
  visitor() { beside curl -s -o /dev/null -w '%{http_code}' --cacert "$(authority)" -H 'content-type: application/json' -d "$1" "$url/api/v1/visitors"; }
  is 401 visitor '{}'
  is 201 visitor "{\"access_code\": \"$code\"}"
  is 0 bash -c "nsenter -t $pid -m -p journalctl --no-pager -u emflow | grep -c '$code' || true"
  rm "$machine/etc/credstore/auth.access_code" "$machine/etc/emflow/conf.d/60-code.toml"
  inside systemctl restart emflow
  until_true 20 ready
}

step_certificate() {
  local dir=$machine/etc/emflow/tls
  mkdir -p "$dir"
  make() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$1" -subj /CN=localhost \
      -addext subjectAltName=DNS:localhost -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
    chmod 640 "$dir/key.pem"
    inside chgrp emflow /etc/emflow/tls/key.pem
  }
  make 10
  cp "$dir/cert.pem" "$work/second.pem"
  cp "$dir/key.pem" "$work/second.key"
  make 300
  conf 70-tls <<<'[tls]
certificate = "/etc/emflow/tls/cert.pem"
key = "/etc/emflow/tls/key.pem"'
  # From a generated to a configured one, and on to the next, under load: no socket is dropped.
  local generated first second
  generated=$(fingerprint)
  cat "$dir/cert.pem" "$work/second.pem" > "$work/both.pem"
  inside systemctl reload emflow
  until_true 10 bash -c "[ \"\$(nsenter -t $pid -n openssl s_client -connect localhost:8443 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256)\" != '$generated' ]"
  first=$(fingerprint)
  is "$(openssl x509 -noout -fingerprint -sha256 -in "$dir/cert.pem")" fingerprint
  crowd_in "$work/both.pem"
  cp "$work/second.pem" "$dir/cert.pem"
  cat "$work/second.key" > "$dir/key.pem"
  inside systemctl reload emflow
  until_true 10 bash -c "[ \"\$(nsenter -t $pid -n openssl s_client -connect localhost:8443 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256)\" != '$first' ]"
  second=$(fingerprint)
  is "$(openssl x509 -noout -fingerprint -sha256 -in "$work/second.pem")" fingerprint
  sleep 2
  crowd_out
  # Six visitors, six connections: nobody had to come back.
  says " 6 connections" cat "$work/logs/crowd.log"
  # The near end is told; a key of another is refused and the one in use stays.
  says "expires at" inside emflow check-config --quiet --config /etc/emflow/config.toml
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$dir/key.pem" 2>/dev/null
  inside chgrp emflow /etc/emflow/tls/key.pem
  chmod 640 "$dir/key.pem"
  says failed inside systemctl reload emflow
  says "is not the key of" inside journalctl --no-pager -u emflow -n 20
  is "$second" fingerprint
  rm -r "$machine/etc/emflow/conf.d/70-tls.toml" "$dir"
  inside systemctl restart emflow
  until_true 20 ready
}

step_upgrade() {
  echo '# edited by the operator' >> "$machine/etc/emflow/config.toml"
  crowd_in
  inside env DEBIAN_FRONTEND=noninteractive dpkg --force-confold -i "/root/emflow_$new-1_amd64.deb"
  until_true 30 ready
  sleep 3
  crowd_out
  says "$new-1" inside dpkg-query -W emflow
  says "# edited by the operator" cat "$machine/etc/emflow/config.toml"
  is "640 root:emflow" inside stat -c '%a %U:%G' /etc/emflow/config.toml
  says "messages_per_minute = 100000" cat "$machine/etc/emflow/conf.d/50-room.toml"
}

step_downgrade() {
  says "is older than the $new-1 that is installed" inside dpkg -i "/root/emflow_$old-1_amd64.deb"
  says "$new-1" inside dpkg-query -W emflow
  inside dpkg --configure -a
  until_true 30 ready
}

step_restart_refuses_nobody() {
  inside systemctl stop emflow
  inside systemctl enable --now emflow-listen.socket
  inside systemctl start emflow
  until_true 20 ready
  crowd_in
  beside "$python" - "$url" "$(authority)" >"$work/logs/knocks.log" 2>&1 <<'PY' &
import ssl, socket, sys, time
# A new connection every 20 ms for six seconds, each with its own handshake and request.
context = ssl.create_default_context(cafile=sys.argv[2])
done = refused = 0
end = time.monotonic() + 6
while time.monotonic() < end:
    try:
        with socket.create_connection(("localhost", 8443), timeout=30) as raw, \
             context.wrap_socket(raw, server_hostname="localhost") as tls:
            tls.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answered = tls.recv(12).startswith(b"HTTP/1.1 200")
            done, refused = done + answered, refused + (not answered)
    except OSError as reason:
        refused += 1
        print(reason)
    time.sleep(0.02)
print(f"{done} answered, {refused} refused")
sys.exit(refused > 0 or done < 50)
PY
  local knocks=$!
  sleep 1
  inside systemctl restart emflow
  inside systemctl restart emflow
  local code=0
  wait "$knocks" || code=$?
  cat "$work/logs/knocks.log"
  crowd_out
  inside systemctl stop emflow emflow-listen.socket
  inside systemctl disable emflow-listen.socket
  inside systemctl start emflow
  until_true 20 ready
  return "$code"
}

step_low_port() {
  mkdir -p "$machine/etc/systemd/system/emflow-listen.socket.d"
  printf '[Socket]\nListenStream=\nListenStream=443\n' > "$machine/etc/systemd/system/emflow-listen.socket.d/port.conf"
  inside systemctl daemon-reload
  inside systemctl stop emflow
  inside systemctl start emflow-listen.socket
  inside systemctl start emflow
  until_true 20 bash -c "nsenter -t $pid -n curl -s --cacert '$(authority)' https://localhost/healthz | grep -q ok"
  inside systemctl stop emflow emflow-listen.socket
  rm -r "$machine/etc/systemd/system/emflow-listen.socket.d"
  inside systemctl daemon-reload
  inside systemctl start emflow
  until_true 20 ready
}

step_damage() {
  inside systemctl stop emflow
  cp -a "$machine/var/lib/emflow" "$work/saved"
  dd if=/dev/urandom of="$machine/var/lib/emflow/watermark" bs=128 count=1 conv=notrunc status=none
  inside systemctl start emflow || true
  is failed inside systemctl is-active emflow
  is 74 shows ExecMainStatus
  local restarts; restarts=$(shows NRestarts)
  sleep 3
  is "$restarts" shows NRestarts
  says "damaged" inside journalctl --no-pager -u emflow -n 10
  rm -rf "$machine/var/lib/emflow"
  mv "$work/saved" "$machine/var/lib/emflow"
  inside systemctl reset-failed emflow
  inside systemctl start emflow
  until_true 20 ready
}

step_reboot() {
  local before; before=$(get /trust/facts)
  halt
  boot
  until_true 30 ready
  is "$before" get /trust/facts
}

step_remove() {
  inside dpkg -r emflow
  inside test ! -e /usr/bin/emflow
  inside test -d /var/lib/emflow/sled
  inside test -e /etc/emflow/config.toml
  says inactive inside systemctl is-active emflow
}

step_reinstall() {
  local before; before=$(openssl x509 -noout -fingerprint -in "$(authority)")
  inside dpkg -i "/root/emflow_$new-1_amd64.deb"
  until_true 30 ready
  is "$before" openssl x509 -noout -fingerprint -in "$(authority)"
  says "# edited by the operator" cat "$machine/etc/emflow/config.toml"
}

step_purge() {
  inside dpkg -P emflow
  inside test ! -e /var/lib/emflow
  inside test ! -e /etc/emflow
  says emflow cat "$machine/etc/passwd"
  is "" inside systemctl --failed --no-legend
}

step_masked() {
  inside systemctl mask emflow
  inside dpkg -i "/root/emflow_$new-1_amd64.deb"
  says "inactive" inside systemctl is-active emflow
  inside dpkg -P emflow
  inside systemctl unmask emflow
}

# No mirror of a system with rpm is reached from here, so the scriptlets run in a Debian tree.
step_rpm() {
  local tree=$work/rpm-tree
  rm -rf "$tree"
  cp -a "$template" "$tree"
  mkdir -p "$tree/root/rpm"
  cp "$work/old/emflow-$old-1.x86_64.rpm" "$work/new/emflow-$new-1.x86_64.rpm" "$tree/root/rpm/"
  rpm --root "$tree" --initdb
  rpm --root "$tree" -i --nodeps "$work/old/emflow-$old-1.x86_64.rpm"
  is "640 root:emflow" chroot "$tree" stat -c '%a %U:%G' /etc/emflow/config.toml
  chroot "$tree" emflow check-config --quiet --config /etc/emflow/config.toml
  echo '# edited by the operator' >> "$tree/etc/emflow/config.toml"
  rpm --root "$tree" -U --nodeps "$work/new/emflow-$new-1.x86_64.rpm"
  is "$new" rpm --root "$tree" -q --queryformat '%{VERSION}' emflow
  says "# edited by the operator" cat "$tree/etc/emflow/config.toml"
  says "which is newer" rpm --root "$tree" -U --nodeps --test "$work/old/emflow-$old-1.x86_64.rpm"
  rpm --root "$tree" -e emflow
  test ! -e "$tree/usr/bin/emflow"
  test -e "$tree/etc/emflow/config.toml.rpmsave"
}

boot
printf '| %-34s | %-6s | %7s | %s\n' step result time "what is held"
step install "service active, enabled, private files, status told"
step hardening "systemd-analyze security <= 1.3, limits"
step operator "preflight, doctor, trust, manual, completions"
step kill "kill -9 under load: started again, nothing lost"
step watchdog "a stopped process is ended and started again"
step configuration "a wrong file is named, refused once, and changes nothing"
step credential "a secret from systemd, not in the journal"
step certificate "reload under load; a wrong pair refused"
step upgrade "under load: nothing lost, clients return, edits kept"
step downgrade "refused with its reason; the service goes on"
step restart_refuses_nobody "with emflow-listen.socket: every knock answered"
step low_port "443 without a right of the service"
step damage "exit 74, said, not started again"
step reboot "up by itself, the same authority"
step remove "program gone, data and configuration kept"
step reinstall "data and edits are there again"
step purge "nothing left but the system user"
step masked "a masked unit is no failure"
step rpm "files, edit kept, downgrade refused, erase (in a Debian tree)"
halt
exit "$failed"
