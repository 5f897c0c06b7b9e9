/**
 * In each process of the test runner: what it starts from now on counts its lines itself. Not the process itself, whose
 * lines vitest counts in its own way.
 */

process.env.NODE_V8_COVERAGE = process.env.CALLSEAL_COVERAGE_CHILDREN;
