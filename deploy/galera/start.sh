#!/bin/bash
# Starts one node of the cluster: it founds the cluster, joins it, or comes back to it.
#
#   GALERA_NODE      name and address of this node, one of GALERA_NODES
#   GALERA_NODES     all nodes, with commas; the first one founds the cluster
#   GALERA_CONFIG    node.cnf
#   GALERA_DATA      its data; empty at the first start
#   GALERA_RUN       folder of its socket
#   GALERA_SETUP     SQL that the founder runs: users and databases
#   GALERA_PORT      of clients; 3306 by default
#   GALERA_LEAST_MB  below it on its disk, it leaves; 64 by default
#   MDS_DATABASE_PASSWORD   of the user `mds`
#
# Leaves when its disk is nearly full and all others are there: a node that cannot write stops all
# writers for as long as it is the one that they go to. It comes back when there is room.
#
# Asked to stop, it lets those after it in the list leave first: who leaves last knows that it did,
# and founds the cluster again. Of nodes that leave in the same moment none knows it.
#
# Never does three things that lose data: found a second cluster while another node answers, come
# back after a crash without the position that its own tables have reached, or join a cluster that
# is not the one its own data is of (it would be sent everything, over its own).
set -euo pipefail

say() { echo "start.sh: $*" >&2; }

if [ $$ = 1 ]; then
    say "is process 1 of its container, which nobody in there can kill when the disk is full: have" \
        "an init start it (init: true of Compose, docker run --init, shareProcessNamespace: true of" \
        "Kubernetes)"
    exit 1
fi

user=()
[ "$(id -u)" != 0 ] || user=(--user="${GALERA_USER:-mysql}")
run=$GALERA_RUN
mkdir -p "$GALERA_DATA" "$run"
[ "$(id -u)" != 0 ] || chown "${GALERA_USER:-mysql}" "$GALERA_DATA" "$run"
common=(--defaults-file="$GALERA_CONFIG" "${user[@]}" --datadir="$GALERA_DATA"
    --socket="$run/mariadbd.sock" --pid-file="$run/mariadbd.pid"
    --wsrep-cluster-address="gcomm://$GALERA_NODES")
state=$GALERA_DATA/grastate.dat
# There until the founder has made its users.
due=$GALERA_DATA/setup-is-due
first=${GALERA_NODES%%,*}
port=${GALERA_PORT:-3306}
# The cluster of a node that has no data.
nothing=00000000-0000-0000-0000-000000000000
before=()
after=()
for node in ${GALERA_NODES//,/ }; do
    if [ "$node" = "$GALERA_NODE" ]; then passed=yes
    elif [ "${passed:-}" ]; then after+=("$node")
    else before+=("$node")
    fi
done
# s that a node which is to stop gives each of those after it to leave.
turn=5
# s after which a node that has left because of its disk is missed by the others, too.
missed=10

# MB that a node needs to go on; it may grow by some in the second between two looks.
least=${GALERA_LEAST_MB:-64}

has_room() {
    [ "$(df --output=avail --block-size=1M "$GALERA_DATA" | tail -n 1)" -ge "$least" ]
}

own_status() { # NAME; empty: it does not say
    timeout 2 mariadb --socket="$run/mariadbd.sock" --batch --skip-column-names \
        --execute="SHOW STATUS LIKE '$1'" 2>/dev/null | cut -f2 || true
}

all_are_there() {
    [ "$(own_status wsrep_cluster_size)" = $((${#before[@]} + 1 + ${#after[@]})) ]
}

must_leave() { ! has_room && all_are_there; }

note_setup() {
    # Its last statement makes the user of the load balancer.
    if [ -e "$due" ] && mariadb --no-defaults --socket="$run/mariadbd.sock" --user=balancer \
        --execute="DO 1" 2>/dev/null; then
        rm -f "$due"
    fi
}

watch_over() { # PID
    # All nodes have the same data: if it is that which fills their disks, one leaves, and those
    # that are left can at least be read. On one disk all would leave in the same second: each
    # looks again when it would miss those before it.
    until must_leave && { sleep $((${#before[@]} * missed)); must_leave; }; do
        note_setup
        sleep 1
    done
    say "its disk has less than $least MB left: it leaves, and comes back when there is room"
    kill -TERM "$1"
    sleep 5
    # What cannot be written cannot be closed; its tables are recovered at the next start.
    kill -KILL "$1"
}

one_after_it_is_there() {
    local node there
    there=,$(own_status wsrep_incoming_addresses)
    for node in "${after[@]}"; do
        [[ $there != *",$node:"* ]] || return 0
    done
    return 1
}

leave_in_turn() { # PID
    local end=$((SECONDS + ${#after[@]} * turn))
    trap 'end=0' TERM # asked twice, it waits for nobody
    while [ "$SECONDS" -lt "$end" ] && one_after_it_is_there; do sleep 0.2; done
    kill -TERM "$1" 2>/dev/null || true
}

answers() { # NODE [PORT]; of the group, if nothing else is said
    timeout 1 bash -c "exec 3<>/dev/tcp/$1/${2:-4567}" 2>/dev/null
}

another_answers() {
    local node
    for node in "${before[@]}" "${after[@]}"; do
        ! answers "$node" || return 0
    done
    return 1
}

status_of() { # NODE NAME; empty: it does not say
    mariadb --no-defaults --host="$1" --port="$port" --user=balancer --connect-timeout=1 --batch \
        --skip-column-names --execute="SHOW STATUS LIKE '$2'" 2>/dev/null | cut -f2 || true
}

another_is_primary() {
    # One that answers the group may only wait there for others, and takes no clients then. If it
    # founds, it soon says so. One that takes clients but has no answer left may be primary.
    local node status tries=0
    while another_answers && [ $((tries += 1)) -le 10 ]; do
        for node in "${before[@]}" "${after[@]}"; do
            status=$(status_of "$node" wsrep_cluster_status)
            [ -n "$status" ] || ! answers "$node" "$port" || status=Primary
            [ "$status" != Primary ] || return 0
        done
        sleep 1
    done
    return 1
}

refuse_another_cluster() { # OWN
    # One that answers the group may not talk to clients yet: it founds, or comes back as this one
    # does. After a power cut none does before all are there, so nobody waits for long.
    local node theirs tries=0
    while another_answers && [ $((tries += 1)) -le 10 ]; do
        for node in "${before[@]}" "${after[@]}"; do
            theirs=$(status_of "$node" wsrep_cluster_state_uuid)
            case $theirs in
                "$1") return ;;
                "" | "$nothing") ;;
                *)
                    say "has data of cluster $1, and $node is of cluster $theirs: joining it would" \
                        "overwrite this data. If it is the data to keep, stop $node and start the" \
                        "nodes that have it; if not, empty $GALERA_DATA"
                    exit 1
                    ;;
            esac
        done
        sleep 1
    done
}

install() {
    # What is half made stays in a folder of its own; `mysql` comes last, and says that all is there.
    local new=$GALERA_DATA/installing each
    if [ ! -d "$new" ] && [ -e "$GALERA_DATA/ibdata1" ]; then
        say "$GALERA_DATA has tables, but no folder mysql: empty it, or bring back what is missing"
        exit 1
    fi
    say "makes a new data folder"
    rm -rf "$new"
    mkdir "$new"
    [ "$(id -u)" != 0 ] || chown "${GALERA_USER:-mysql}" "$new"
    mariadb-install-db --no-defaults "${user[@]}" --datadir="$new" \
        --auth-root-authentication-method=socket --auth-root-socket-user="$(whoami)" \
        --skip-test-db --skip-name-resolve >/dev/null
    for each in "$new"/*; do
        [ "$each" = "$new/mysql" ] || { rm -rf "$GALERA_DATA/${each##*/}"; mv "$each" "$GALERA_DATA"; }
    done
    mv "$new/mysql" "$GALERA_DATA"
    rmdir "$new"
}

write_setup() {
    # The password goes in by a file that nobody else reads, never by a command line.
    local text password=${MDS_DATABASE_PASSWORD:?}
    password=${password//\\/\\\\}
    password=${password//\'/\'\'}
    text=$(<"$GALERA_SETUP")
    (umask 077; echo "${text//@MDS_DATABASE_PASSWORD@/"$password"}" >"$run/setup.sql")
    [ "$(id -u)" != 0 ] || chown "${GALERA_USER:-mysql}" "$run/setup.sql"
}

has_user_data() {
    # Of a database that somebody has made, or of one that is being sent here.
    local each
    [ ! -e "$GALERA_DATA/sst_in_progress" ] || return 0
    for each in "$GALERA_DATA"/*/; do
        case $(basename "$each") in
            "*" | mysql | performance_schema | sys | installing | lost+found) ;;
            *) return 0 ;;
        esac
    done
    return 1
}

recover() { # sets `position` and `own`, the cluster that its data is of
    position= own=
    if [ -d "$GALERA_DATA/mysql" ]; then
        rm -f "$run/recovery.log"
        mariadbd "${common[@]}" --wsrep-recover --log-error="$run/recovery.log" ||
            { tail -n 20 "$run/recovery.log" >&2; say "cannot read its own tables"; exit 1; }
        position=$(sed -n 's/.*WSREP: Recovered position:* *//p' "$run/recovery.log" | tail -n 1)
        own=${position%%:*}
    fi
    [ "${own:-$nothing}" != "$nothing" ] || own=$(sed -n 's/^uuid: *//p' "$state")
    own=${own:-$nothing}
}

start_first() {
    if [ "$GALERA_NODE" = "$first" ] && ! another_answers; then
        [ -d "$GALERA_DATA/mysql" ] || install
        : >"$due"
        # What was cut off may have left one that says "not safe to found".
        rm -f "$state"
        say "founds the cluster"
        options=(--wsrep-new-cluster)
    else
        say "waits for a node that it can join"
        until another_answers; do sleep 0.2; done
    fi
}

come_back() {
    [ -z "$position" ] || options=(--wsrep_start_position="$position")
    if [ "$own" != "$nothing" ] && grep -q '^safe_to_bootstrap: 1' "$state" && ! another_is_primary
    then
        say "was the last to stop, and founds the cluster again from position ${position:-unknown}"
        options+=(--wsrep-new-cluster)
        return
    fi
    say "comes back from position ${position:-unknown}"
    # After a crash of all nodes each one remembers the last group (gvwstate.dat), and they form
    # it again; otherwise there must be somebody to come back to.
    [ -s "$GALERA_DATA/gvwstate.dat" ] || until another_answers; do sleep 0.2; done
    [ "$own" = "$nothing" ] || refuse_another_cluster "$own"
}

until has_room || ! another_answers; do
    say "waits until its disk has $least MB"
    sleep 2
done

options=()
[ ! -e "$state" ] || recover
if [ ! -e "$state" ] || { [ "$own" = "$nothing" ] && ! has_user_data; }; then
    start_first
else
    come_back
fi
if [ -e "$due" ]; then
    write_setup
    options+=(--init-file="$run/setup.sql")
fi

# The last of the others sends what is missing, if it can: the first is the one that writes.
donors=
for node in "${before[@]}" "${after[@]}"; do donors=$node,$donors; done

mariadbd "${common[@]}" "${options[@]}" \
    --bind-address="$GALERA_NODE" --port="$port" \
    --wsrep-node-name="$GALERA_NODE" --wsrep-node-address="$GALERA_NODE" \
    --wsrep-node-incoming-address="$GALERA_NODE:$port" \
    --wsrep-sst-receive-address="$GALERA_NODE:4444" --wsrep-sst-donor="$donors" &
server=$!
trap 'leave_in_turn "$server"' TERM
watch_over "$server" &
# A signal ends the wait, not the server.
while code=0; wait "$server" || code=$?; kill -0 "$server" 2>/dev/null; do :; done
kill "$!" 2>/dev/null || true
exit "$code"
