#!/usr/bin/env bash
# What the action does: meters $ENERGY_RUN, $ENERGY_RUNS times in a row, and writes into $GITHUB_STEP_SUMMARY what it took,
# beside the base branch.
# Ends with the command's own exit code, else with 1 where the energy of a step rose by more than is allowed.
set -euo pipefail

if ! command -v lightning-carbon > /dev/null; then
    echo "::error::lightning-carbon is not installed in this job: pip install lightning-carbon"
    exit 1
fi

case $ENERGY_RUNS in
    '' | *[!0-9]* | 0*)
        echo "::error::runs: '$ENERGY_RUNS' cannot be used: give a whole number from 1 on"
        exit 1
        ;;
esac

out=$(mktemp -d "${RUNNER_TEMP:-/tmp}/energy-XXXXXX")
export LIGHTNING_CARBON_LEDGER=$out/ledger LIGHTNING_CARBON_PROJECT=${LIGHTNING_CARBON_PROJECT:-ci} COLUMNS=120
[ -z "$ENERGY_REGION" ] || export LIGHTNING_CARBON_REGION=$ENERGY_REGION
echo "record=$out/record.json" >> "$GITHUB_OUTPUT"

code=0
name=${GITHUB_JOB:-job}
for ((turn = 1; turn <= ENERGY_RUNS && code == 0; turn++)); do
    [ "$ENERGY_RUNS" -eq 1 ] || name=${GITHUB_JOB:-job}-$turn
    lightning-carbon run --quiet --run-name "$name" --json "$out/record.json" -- \
        bash -euo pipefail -c "$ENERGY_RUN" || code=$?
done
{
    printf '## Energy of %s\n\n```\n' "${GITHUB_JOB:-the job}"
    lightning-carbon runs show "$name"
    printf '```\n'
} >> "$GITHUB_STEP_SUMMARY"

# The baseline of the base branch, if this is a pull request and it can be had; else that of the working tree.
baseline_of_base() {
    [ -n "${GITHUB_BASE_REF:-}" ] || return 1
    git fetch --quiet --depth=1 origin "$GITHUB_BASE_REF" && git show "FETCH_HEAD:$ENERGY_BASELINE" > "$out/baseline.json"
}

if [ -n "$ENERGY_BASELINE" ]; then
    beside="the base branch, ${GITHUB_BASE_REF:-}"
    if ! baseline_of_base; then
        beside="the baseline of this branch"
        rm -f "$out/baseline.json"
        [ ! -f "$ENERGY_BASELINE" ] || cp "$ENERGY_BASELINE" "$out/baseline.json"
    fi
    [ ! -f "$out/baseline.json" ] || cp "$out/baseline.json" "$out/proposal.json"
    echo "proposal=$out/proposal.json" >> "$GITHUB_OUTPUT"
    # The command may have had several trainings with a meter of their own. Where it ran several times, those of one name
    # are held against the baseline together, with an interval from five on.
    trained=$(lightning-carbon runs --status completed --json | python3 -c '
import json, os, sys
together = {}
for run in json.load(sys.stdin):
    if run["steps"]:
        alone = run["run_id"] if os.environ["ENERGY_RUNS"] == "1" else None
        together.setdefault((run["project"], run["run_name"], alone), []).append(run["run_id"])
for runs in together.values():
    print(*runs)')
    [ -n "$trained" ] || printf '\nNothing to compare: no training of the command counted steps.\n' >> "$GITHUB_STEP_SUMMARY"
    while read -r -a runs; do
        [ "${#runs[@]}" -gt 0 ] || continue
        printf '\n### Beside %s\n\n' "$beside" >> "$GITHUB_STEP_SUMMARY"
        found=0
        lightning-carbon check "${runs[@]}" --baseline "$out/baseline.json" --tolerance "$ENERGY_TOLERANCE" --allow-missing \
            --markdown >> "$GITHUB_STEP_SUMMARY" || found=$?
        lightning-carbon check "${runs[@]}" --baseline "$out/proposal.json" --update || found=$?
        [ "$code" -ne 0 ] || code=$found
    done <<< "$trained"
fi
exit "$code"
