/** `doctor`: what this machine has, and what would be missing for what. */
import { Command } from "commander";
import type { Io } from "../terminal/io.js";
import { examineMachine, type Machine } from "../terminal/machine.js";
import { jsonOption, type OutputFlags, pythonOption } from "../terminal/options.js";
import { bytes } from "../terminal/text.js";

export function doctorCommand(io: Io): Command {
  return pythonOption(
    jsonOption(new Command("doctor").description("what this machine has, and what would be missing for what")),
  ).action(async (flags: OutputFlags & { readonly python?: string }) => {
    const machine = await examineMachine(flags);
    io.result(
      flags.json,
      () => machine,
      () => machineText(machine),
    );
  });
}

function machineText(machine: Machine): string {
  const { python } = machine;
  const packages = python ? Object.entries(python.packages).map(([name, version]) => `${name} ${version ?? "–"}`) : [];
  const lines: [string, string][] = [
    ["antecedent", machine.antecedent],
    ["node", machine.node],
    [
      "machine",
      `${machine.platform}, ${machine.cpu}, ${machine.cores} cores, ${bytes(machine.memoryBytes)} memory (${bytes(machine.freeMemoryBytes)} free)`,
    ],
    [
      "onnxruntime",
      `${machine.onnxruntime ?? "not found"}; devices ${machine.devices.join(", ")}; --engine onnx computes on cpu`,
    ],
    ["python", python ? `${python.version} at ${python.path}; ${packages.join(", ")}` : "not found"],
    ["torch engine", torchText(machine.torchEngine)],
    ["pocket", `model ${machine.pocket.model ? "yes" : "no"}, SAE ${machine.pocket.sae ? "yes" : "no"}`],
    ["prompt sets", machine.promptSets.join(", ") || "none"],
    ["organisms", machine.organisms.join(", ") || "none"],
  ];
  const missing =
    machine.missing.length > 0
      ? `\nmissing:\n${machine.missing.map((line) => `  ${line}`).join("\n")}`
      : "\nnothing is missing";
  return `${lines.map(([name, value]) => `${name.padEnd(12)} ${value}`).join("\n")}\n${missing}`;
}

function torchText(engine: Machine["torchEngine"]): string {
  if (!engine.works) return `does not work: ${engine.reason}`;
  const packages = Object.entries(engine.packages).map(([name, version]) => `${name} ${version ?? "–"}`);
  return `works, ${engine.python}; ${packages.join(", ")}; devices ${engine.devices.join(", ")}`;
}
