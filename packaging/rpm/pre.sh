# The group must be there before the files that belong to it.
systemd-sysusers --replace=/usr/lib/sysusers.d/emflow.conf - <<'USERS'
u emflow - "Example Message Flow appliance" /var/lib/emflow
USERS
