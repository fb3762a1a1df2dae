import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Sessions use every core they are given; two test files at a time are enough for two cores.
    maxWorkers: 2,
  },
});
