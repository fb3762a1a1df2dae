/** `bench`: how fast a steering step is, and how well triggers are recovered. */
import { Command } from "commander";
import { recoveryCommand } from "../bench/bench-recovery.js";
import { speedCommand } from "../bench/bench-speed.js";
import type { Io } from "../terminal/io.js";

export function benchCommand(io: Io): Command {
  return new Command("bench").description("benchmarks").addCommand(speedCommand(io)).addCommand(recoveryCommand(io));
}
