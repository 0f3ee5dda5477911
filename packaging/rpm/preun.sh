if [ "$1" -eq 0 ]; then
    systemctl disable --now emflow.service emflow-listen.socket || :
fi
