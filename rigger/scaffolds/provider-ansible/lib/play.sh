# shellcheck shell=bash
# Summary: Run a playbook of this provider, with all of Ansible's own files in the provider's own place.
# Needs: ansible-playbook; $RIGGER_CONNECTIONS, a folder with a short path
# Writes: $RIGGER_STATE_DIR/ansible
#
# Answers and secrets reach a playbook through the environment, by lookup('env', ...): arguments can be read by everybody.

play() { # PLAYBOOK [OPTION...]
    export ANSIBLE_HOME=$RIGGER_STATE_DIR/ansible ANSIBLE_RETRY_FILES_ENABLED=false
    export ANSIBLE_PIPELINING=true # so that a task that is cut off leaves no file on a node
    export ANSIBLE_REMOTE_TEMP=$ANSIBLE_HOME/tmp # its tasks run on this computer, and leave no ~/.ansible here
    export ANSIBLE_SSH_CONTROL_PATH_DIR=${RIGGER_CONNECTIONS:-$ANSIBLE_HOME/cp}
    ansible-playbook -i localhost, "$RIGGER_MODULE_DIR/$1" "${@:2}"
}
