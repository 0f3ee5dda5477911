systemctl daemon-reload || :
# An upgrade: the new version takes over; clients are told and come back.
if [ "$1" -ge 1 ]; then
    systemctl try-restart emflow.service || :
fi
