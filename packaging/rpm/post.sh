systemctl daemon-reload || :
if [ "$1" -eq 1 ]; then
    systemctl preset emflow.service || :
    echo "emflow: 'systemctl enable --now emflow' starts it; then open https://$(hostname):8443/ (the demo)."
    echo "emflow: 'emflow preflight' says whether all is well, 'sudo emflow trust' makes this machine trust it."
    echo "emflow: settings go into /etc/emflow/conf.d/*.toml (man emflow.toml), then 'systemctl restart emflow'."
fi
