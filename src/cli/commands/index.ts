/** Every command, in the order that help lists them. A new command is one file and one line here. */
import type { Command } from "commander";
import type { Io } from "../terminal/io.js";
import { auditCommand } from "./audit.js";
import { benchCommand } from "./bench.js";
import { doctorCommand } from "./doctor.js";
import { encodeCommand } from "./encode.js";
import { fetchCommand } from "./fetch.js";
import { findCommand } from "./find.js";
import { gameCommand } from "./game.js";
import { generateCommand } from "./generate.js";
import { mcpCommand } from "./mcp.js";
import { organismCommand } from "./organism.js";
import { reportCommand } from "./report.js";
import { runsCommand } from "./runs.js";
import { saeCommand } from "./sae.js";
import { scoreCommand } from "./score.js";
import { serveCommand } from "./serve.js";
import { sweepCommand } from "./sweep.js";
import { verifyCommand } from "./verify.js";
import { workerCommand } from "./worker.js";

export const commands: readonly ((io: Io) => Command)[] = [
  auditCommand,
  verifyCommand,
  findCommand,
  scoreCommand,
  generateCommand,
  encodeCommand,
  reportCommand,
  runsCommand,
  serveCommand,
  mcpCommand,
  organismCommand,
  gameCommand,
  sweepCommand,
  workerCommand,
  saeCommand,
  fetchCommand,
  benchCommand,
  doctorCommand,
];
