#!/usr/bin/env bash
# What the action does: meters $ENERGY_RUN, and writes into $GITHUB_STEP_SUMMARY what it took, beside the base branch.
# Ends with the command's own exit code, else with 1 where the energy of a step rose by more than is allowed.
set -euo pipefail

if ! command -v lightning-carbon > /dev/null; then
    echo "::error::lightning-carbon is not installed in this job: pip install lightning-carbon"
    exit 1
fi

out=$(mktemp -d "${RUNNER_TEMP:-/tmp}/energy-XXXXXX")
export LIGHTNING_CARBON_LEDGER=$out/ledger LIGHTNING_CARBON_PROJECT=${LIGHTNING_CARBON_PROJECT:-ci} COLUMNS=120
[ -z "$ENERGY_REGION" ] || export LIGHTNING_CARBON_REGION=$ENERGY_REGION
echo "record=$out/record.json" >> "$GITHUB_OUTPUT"

code=0
lightning-carbon run --quiet --run-name "${GITHUB_JOB:-job}" --json "$out/record.json" -- \
    bash -euo pipefail -c "$ENERGY_RUN" || code=$?
{
    printf '## Energy of %s\n\n```\n' "${GITHUB_JOB:-the job}"
    lightning-carbon runs show "${GITHUB_JOB:-job}"
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
    # The command may have had several trainings with a meter of their own.
    trained=$(lightning-carbon runs --status completed --json | python3 -c '
import json, sys
print(*(run["run_id"] for run in json.load(sys.stdin) if run["steps"]))')
    [ -n "$trained" ] || printf '\nNothing to compare: no training of the command counted steps.\n' >> "$GITHUB_STEP_SUMMARY"
    for run in $trained; do
        printf '\n### Beside %s\n\n' "$beside" >> "$GITHUB_STEP_SUMMARY"
        found=0
        lightning-carbon check "$run" --baseline "$out/baseline.json" --tolerance "$ENERGY_TOLERANCE" --allow-missing \
            --markdown >> "$GITHUB_STEP_SUMMARY" || found=$?
        lightning-carbon check "$run" --baseline "$out/proposal.json" --update || found=$?
        [ "$code" -ne 0 ] || code=$found
    done
fi
exit "$code"
