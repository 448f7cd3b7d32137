# shellcheck shell=bash
# The regression tests on a real device: the Swift tests that need one (EMU_TEST_DEVICE).

check_regressions() {
    local status=0 summary
    EMU_TEST_DEVICE=$FILE "$EMU_TESTS" --testing-library swift-testing --filter RealDevice >"$LOG/regressions.txt" 2>&1 ||
        status=$?
    cat "$LOG/regressions.txt"
    summary=$(grep -ao 'Test run with [0-9]* test.*' "$LOG/regressions.txt" | tail -n 1)
    [[ $status == 0 && $summary =~ with\ [1-9][0-9]*\ test.*passed ]] ||
        fail "exit status $status: $(grep -a 'recorded an issue' "$LOG/regressions.txt" | head -n 1) $summary"
    # A test that was skipped proved nothing.
    ! grep -aq 'skipped' "$LOG/regressions.txt" || fail "skipped: $(grep -a skipped "$LOG/regressions.txt" | head -n 1)"
    echo "$summary"
}

check "regression tests" check_regressions
