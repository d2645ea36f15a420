# shellcheck shell=bash
# Summary: Runs Deis's own tests in the checkout, with what they expect in their environment.
# Needs: lib/deis.sh; DEIS_ROOT GOPATH DEIS_TEST_AUTH_KEY
# Writes: what the tests write

# run_tests FOLDER TARGET
run_tests() {
    local folder=$1 target=$2 ssh=$DEIS_ROOT/tests/bin/git-ssh-nokeycheck.sh
    need_checkout
    need_clients
    link_gopath
    [[ -f $folder/Makefile ]] || fail "this version of Deis has no ${folder#"$DEIS_ROOT/"}"
    export DEIS_BINARY=$RIGGER_BIN_DIR/deis PATH=$GOPATH/bin:$PATH
    if [[ -x $ssh ]]; then export GIT_SSH=$ssh; fi
    make -C "$folder" "$target"
}

# The targets moved: later versions have all of them in tests.
run_suite() {
    local target=$1 folder=$DEIS_ROOT
    if [[ ! -f ~/.ssh/$DEIS_TEST_AUTH_KEY.pub ]]; then
        rigger-log warning "the tests log in with ~/.ssh/$DEIS_TEST_AUTH_KEY, which is not there: DEIS_TEST_AUTH_KEY names another"
    fi
    if ! grep -qs "^$target:" "$folder/Makefile" && grep -qs "^$target:" "$folder/tests/Makefile"; then
        folder=$DEIS_ROOT/tests
    fi
    run_tests "$folder" "$target"
}
