import { defineConfig } from 'vitest/config';

// Native code that is loaded into worker threads is loaded once a process: processes keep tests apart.
export default defineConfig({ test: { include: ['*.test.mjs'], pool: 'forks' } });
