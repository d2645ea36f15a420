# shellcheck shell=bash
# Summary: The applications that app-deploy, app-test and app-destroy look after: where they are, and a verb of theirs.
# Needs: lib/cluster.sh; python3 on the nodes
# Writes: applications/NAME in lib/home.sh's folder on a node; $RIGGER_STATE_DIR/applications, a line `NAME NODE` for each
#
# What lies on the nodes counts, so that anybody who has the inventory finds it; the list here tells what is gone.
# shellcheck disable=SC2034,SC2154

listed=$RIGGER_STATE_DIR/applications

fail() {
    echo "$1" >&2
    exit 1
}

# Sets applications (names), home (their node, by name), unreachable (nodes) and gone (lines `NAME NODE`).
find_applications() {
    applications=() unreachable=() gone=()
    declare -gA home=()
    local node name answers
    read_nodes
    ((${#nodes[@]})) || return 0
    # shellcheck disable=SC2016
    answers=$(for node in "${nodes[@]}"; do
        rigger-node "$node" sh -c "$(find_home)"'
        for folder in "$home"/applications/*/application.py; do
            [ -f "$folder" ] || continue
            folder=${folder%/application.py}
            echo "$1 ${folder##*/}"
        done' sh "$node" 2>/dev/null || echo "$node -" &
    done; wait)
    while read -r node name; do
        if [[ $name == - ]]; then
            unreachable+=("$node")
        elif [[ $name ]]; then
            applications+=("$name")
            home[$name]=$node
        fi
    done < <(sort -k 2 <<<"$answers")
    if [[ -f $listed ]]; then
        while read -r name node; do
            if [[ ! ${home[$name]-} ]]; then gone+=("$name on $node"); fi
        done <"$listed"
    fi
}

# application NAME VERB ARGUMENT...
application() {
    (become_application_verb "$@")
}

become_application_verb() {
    # shellcheck disable=SC2016
    exec rigger-node "${home[$1]}" sh -c "$(find_home)"'
        name=$1; shift
        exec python3 "$home/applications/$name/application.py" "$@"' sh "$@"
}

# Tests all applications at once; prints what is wrong and, last, the sum; false when anything is wrong.
test_applications() {
    local name wrong=0 kind what value longest=0 ever=0
    declare -A sum=([acknowledged]=0 [lost]=0 [duplicated]=0 [altered]=0 [out_of_order]=0 [unexpected]=0)
    # The trap looks at these when this function is gone.
    declare -gA pids=()
    scratch=$(mktemp -d)
    trap stop_testing EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    for name in ${applications[@]+"${applications[@]}"}; do
        become_application_verb "$name" test >"$scratch/$name" 2>"$scratch/$name.error" &
        pids[$name]=$!
    done
    for name in ${applications[@]+"${applications[@]}"}; do
        if ! wait "${pids[$name]}"; then
            echo "problem it cannot be tested: $(tail -n 1 "$scratch/$name.error")" >>"$scratch/$name"
        fi
    done
    for name in ${applications[@]+"${applications[@]}"}; do
        while read -r kind what value; do
            case $kind,$what in
                figure,longest_gap_seconds) longest=$(larger "$longest" "$value") ;;
                figure,longest_gap_ever_seconds) ever=$(larger "$ever" "$value") ;;
                figure,*) sum[$what]=$((${sum[$what]} + value)) ;;
                problem,*)
                    echo "$name on ${home[$name]}: $what $value" >&2
                    wrong=$((wrong + 1))
                    ;;
            esac
        done <"$scratch/$name"
    done
    for name in ${gone[@]+"${gone[@]}"}; do
        echo "$name is not there any more" >&2
        wrong=$((wrong + 1))
    done
    pids=()
    for what in acknowledged lost duplicated altered out_of_order unexpected; do
        rigger-figure "$what" "${sum[$what]}"
    done
    rigger-figure longest_gap_seconds "$longest"
    rigger-figure longest_gap_ever_seconds "$ever"
    summarize
    ((wrong == 0))
}

stop_testing() {
    local pid
    for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
    rm -rf "$scratch"
}

summarize() {
    local count=$((${#applications[@]} + ${#gone[@]})) said
    said="$count applications"
    if ((count == 1)); then said="1 application"; fi
    said+=": ${sum[lost]} of ${sum[acknowledged]} acknowledged writes lost, ${sum[duplicated]} duplicated"
    for what in altered unexpected; do
        if ((sum[$what])); then said+=", ${sum[$what]} $what"; fi
    done
    if ((sum[out_of_order])); then said+=", ${sum[out_of_order]} out of order"; fi
    said+=", longest gap $(printf '%.2f' "$longest") s"
    if ((wrong)); then said+="; $wrong wrong, see above"; fi
    echo "$said"
}

larger() {
    if [[ $(printf '%s\n' "$1" "$2" | sort -g | tail -n 1) == "$1" ]]; then echo "$1"; else echo "$2"; fi
}
