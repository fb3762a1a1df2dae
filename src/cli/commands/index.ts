/** Every command, in the order that help lists them. A new command is one file and one line here. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import { encodeCommand } from "./encode.js";
import { findCommand } from "./find.js";
import { generateCommand } from "./generate.js";
import { scoreCommand } from "./score.js";

export const commands: readonly ((io: Io) => Command)[] = [
  scoreCommand,
  generateCommand,
  encodeCommand,
  findCommand,
];
