# Steps of the running service: lifecycle.sh reads them. shellcheck shell=bash

step_install() {
  mkdir -p "$machine/etc/emflow/conf.d"
  # Room for a crowd from one address; and what stands in conf.d before is taken.
  conf 50-room <<<'[limits]
attempts_per_minute = 100000
connections_per_address = 1000
messages_per_minute = 100000'
  inside dpkg -i "/root/emflow_$old-1_amd64.deb"
  until_true 30 ready
  is active inside systemctl is-active emflow
  is enabled inside systemctl is-enabled emflow
  says "serving 0 sockets" shows StatusText
  is "700 emflow:emflow" inside stat -c '%a %U:%G' /var/lib/emflow
  is "640 root:emflow" inside stat -c '%a %U:%G' /etc/emflow/config.toml
  is 0 bash -c "find '$machine/var/lib/emflow' -type f -perm /077 | wc -l"
  is "emflow-listen.socket emflow.service" inside sh -c 'cd /usr/lib/systemd/system && echo emflow*'
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
  says "serving 0 sockets" inside cat /tmp/support.txt
  inside test -s /usr/share/man/man5/emflow.toml.5.gz
  inside bash -c '. /usr/share/bash-completion/completions/emflow'
  says "update-ca-certificates" inside emflow trust --print
  inside emflow trust --yes
  inside bash -c 'openssl s_client -connect localhost:8443 -verify_return_error -verify_hostname localhost </dev/null'
  inside emflow trust --remove --yes
  inside test ! -e /etc/ssl/certs/emflow-local-authority-emflow-test.pem
}

step_administrator() {
  # The service's own user namespace must still know root at the other end of its control socket.
  printf 'a long enough password %s\n' "$RANDOM" | inside emflow admin set-password --stdin
  says "https://" inside emflow admin link
  says "monitoring" inside emflow admin token create monitoring --scope read
  says "monitoring" inside emflow admin token list
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
  local before; before=$(main_pid)
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
  # A start by hand counts anew: it was tried once.
  is 0 shows NRestarts
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
