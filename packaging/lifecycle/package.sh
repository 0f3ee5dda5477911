# Steps of the package: lifecycle.sh reads them. shellcheck shell=bash

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
  # The story: in the log, in the data directory, and where the administrator looks.
  says "the first start of this version on this store" inside journalctl --no-pager -u emflow -n 100
  inside sh -c "test -e /var/lib/emflow/before-upgrade-$old-*/sled/db"
  says "\"from\":\"$old\"" upgrades
  says '"step":"kept"' upgrades
}
upgrades() {
  local token
  printf 'a long enough password %s\n' "$RANDOM" | inside emflow admin set-password --stdin 2>/dev/null
  token=$(inside emflow admin token create "lifecycle $RANDOM" --scope read 2>/dev/null)
  beside curl --silent --show-error --max-time 5 --cacert "$(authority)" -H "authorization: Bearer $token" "$url/api/v1/admin/upgrades"
}

step_downgrade() {
  says "is older than the $new-1 that is installed" inside dpkg -i "/root/emflow_$old-1_amd64.deb"
  says "$new-1" inside dpkg-query -W emflow
  inside dpkg --configure -a
  until_true 30 ready
}

step_go_back() {
  local before; before=$(get /trust/facts)
  inside systemctl stop emflow
  inside dpkg -r emflow
  inside dpkg -i "/root/emflow_$old-1_amd64.deb"
  until_true 30 ready
  says "emflow $old" inside emflow --version
  is "$before" get /trust/facts
  inside dpkg -i "/root/emflow_$new-1_amd64.deb"
  until_true 30 ready
  is "$before" get /trust/facts
}

step_newer_store() {
  inside systemctl stop emflow
  local stamp=$machine/var/lib/emflow/version
  cp -a "$stamp" "$work/version"
  # In place: it stays the service's own file.
  echo '{"app_version":"9.0.0","record_format":200}' > "$stamp"
  local before; before=$(sha256sum "$machine/var/lib/emflow/sled/db")
  inside systemctl start emflow || true
  is failed inside systemctl is-active emflow
  is 74 shows ExecMainStatus
  says "a newer version of emflow wrote this store" inside journalctl --no-pager -u emflow -n 10
  is "$before" sha256sum "$machine/var/lib/emflow/sled/db"
  local restarts; restarts=$(shows NRestarts)
  sleep 3
  is "$restarts" shows NRestarts
  cat "$work/version" > "$stamp"
  inside systemctl reset-failed emflow
  inside systemctl start emflow
  until_true 20 ready
}

step_restart_refuses_nobody() {
  inside systemctl stop emflow
  inside systemctl enable --now emflow-listen.socket
  inside systemctl start emflow
  until_true 20 ready
  crowd_in
  beside "$python" - "$url" "$(authority)" >"$work/logs/knocks.log" 2>&1 <<'PY' &
import concurrent.futures, socket, ssl, sys, time
# A new connection every 50 ms for ten seconds, each with its own handshake and request.
context = ssl.create_default_context(cafile=sys.argv[2])

def knock(number):
    time.sleep(number * 0.05)
    try:
        with socket.create_connection(("localhost", 8443), timeout=40) as raw, \
             context.wrap_socket(raw, server_hostname="localhost") as tls:
            tls.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return tls.recv(12).decode() or "cut without an answer"
    except OSError as reason:
        return str(reason)

with concurrent.futures.ThreadPoolExecutor(200) as pool:
    results = list(pool.map(knock, range(200)))
for result in sorted(set(results)):
    print(results.count(result), result)
sys.exit(results != ["HTTP/1.1 200"] * 200)
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
  until_true 20 bash -c "nsenter -t $pid -n curl --silent --fail --cacert '$(authority)' https://localhost/healthz"
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

step_offline() {
  is lo inside sed -n 's/^ *\([^:]*\):.*/\1/p' /proc/net/dev
  inside dpkg -i "/root/emflow_$new-1_amd64.deb"
  until_true 30 ready
  says "Ready to serve." inside emflow preflight
  says "4,500" inside emflow send --ca /var/lib/emflow/tls/authority.pem \
    "We run 1M requests a month on gpt-4o with 1000 input tokens and 200 output tokens each. Cut our cost."
  inside dpkg -P emflow
}

# Types into a command that asks at a terminal: each line once it has been asked for.
typed() {
  local command=$1; shift
  (for line in "$@"; do sleep 1; printf '%s\n' "$line"; done; sleep 1) |
    inside script -qec "$command" /dev/null
}
step_first_minutes() {
  local password="what a stranger made up $RANDOM" began=$SECONDS
  said() { printf '%3s s  %s\n' $((SECONDS - began)) "$1"; }
  inside env DEBIAN_FRONTEND=noninteractive apt-get install -y "/root/emflow_$new-1_amd64.deb"
  said "apt install"
  inside emflow preflight
  said "emflow preflight"
  typed "emflow admin set-password" "$password" "$password"
  said "emflow admin set-password"
  typed "emflow trust" y
  said "emflow trust"
  inside emflow admin link
  said "emflow admin link"
  # By the authorities of the machine alone, and with the password that was typed.
  enter() {
    beside curl --silent --show-error --max-time 10 --cacert "$machine/etc/ssl/certs/ca-certificates.crt" -o /dev/null \
      -w '%{http_code}' -H 'content-type: application/json' -d "{\"password\": \"$1\"}" "$url/api/v1/admin/login"
  }
  is 200 enter "$password"
  is 401 enter "another $password"
  inside emflow trust --remove --yes
  inside dpkg -P emflow
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
