/** What this machine has that the program can use. */
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { arch, availableParallelism, cpus, freemem, platform, totalmem } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { listSupportedBackends } from "onnxruntime-node";
import { TorchClient } from "../../engine/torch/client.js";
import { startTorchProcess } from "../../engine/torch/node-process.js";
import { chosenPython } from "./options.js";
import { builtInOrganisms, builtInPromptSets, isFolder, packageVersion, pocketFiles } from "./package-files.js";

/** A cold start of Python with torch takes seconds; a hanging one must not hang us. */
const PYTHON_TIMEOUT_MS = 30_000;
/** The oldest Node that the package is made for. */
const NODE_FLOOR = "20.19.0";
/** Python packages that other programs of this field need; their absence costs what `missing` says. */
const PYTHON_PACKAGES = ["torch", "transformers", "peft", "sae_lens"] as const;

export interface Machine {
  readonly antecedent: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  readonly onnxruntime: string | null;
  readonly devices: readonly string[];
  readonly python: {
    readonly path: string;
    readonly version: string;
    readonly packages: Readonly<Record<string, string | null>>;
  } | null;
  /** Whether `--engine torch` works, and what it computes on; or why not. */
  readonly torchEngine:
    | {
        readonly works: true;
        readonly python: string;
        readonly packages: Readonly<Record<string, string | null>>;
        readonly devices: readonly string[];
      }
    | { readonly works: false; readonly reason: string };
  readonly pocket: { readonly model: boolean; readonly sae: boolean };
  readonly promptSets: readonly string[];
  readonly organisms: readonly string[];
  /** What cannot be done here, and why. */
  readonly missing: readonly string[];
}

/** Looks around; never fails for something that is not there. */
export async function examineMachine(flags: { readonly python?: string } = {}): Promise<Machine> {
  const [python, torchEngine] = [await findPython(chosenPython(flags)), await tryTorch(chosenPython(flags))];
  const pocket = { model: isFolder(pocketFiles.model), sae: isFolder(pocketFiles.sae) };
  const found = {
    antecedent: packageVersion(),
    node: process.versions.node,
    platform: `${platform()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
    onnxruntime: onnxruntimeVersion(),
    devices: listSupportedBackends().map(({ name, bundled }) => (bundled ? name : `${name} (needs its own libraries)`)),
    python,
    torchEngine,
    pocket,
    promptSets: builtInPromptSets(),
    organisms: builtInOrganisms(),
  };
  const missing: string[] = [];
  if (compareVersions(found.node, NODE_FLOOR) < 0)
    missing.push(`Node ${found.node} is older than ${NODE_FLOOR}: nothing is promised to work`);
  if (!pocket.model || !pocket.sae)
    missing.push("the pocket model or its SAE: the demo and every command with `pocket`; install the package again");
  if (found.promptSets.length === 0 || found.organisms.length === 0)
    missing.push("built-in prompts or organisms: audits of organisms; install the package again");
  if (!torchEngine.works) missing.push("PyTorch: --engine torch, and with it GPUs, half precision and 4-bit weights");
  if (!python) missing.push("Python: comparisons with PyTorch");
  else {
    const absent = PYTHON_PACKAGES.filter((name) => python.packages[name] === null);
    if (absent.length > 0) missing.push(`Python packages ${absent.join(", ")}: comparisons with these libraries`);
  }
  return { ...found, missing };
}

function onnxruntimeVersion(): string | null {
  try {
    return (createRequire(import.meta.url)(join("onnxruntime-node", "package.json")) as { version: string }).version;
  } catch {
    return null;
  }
}

const PROBE = `import json, sys, importlib.metadata as m
def v(n):
    try: return m.version(n)
    except Exception: return None
print(json.dumps({"path": sys.executable, "version": sys.version.split()[0], "packages": {n: v(n.replace("_", "-")) for n in ${JSON.stringify(PYTHON_PACKAGES)}}}))`;

/** The Python that commands take by default, or the first on the path; package versions come from its metadata, so nothing heavy is imported. */
async function findPython(first: string): Promise<Machine["python"]> {
  for (const command of [first, "python"]) {
    try {
      const { stdout } = await promisify(execFile)(command, ["-c", PROBE], { timeout: PYTHON_TIMEOUT_MS });
      return JSON.parse(stdout) as Machine["python"];
    } catch {
      // not there, or not a working one
    }
  }
  return null;
}

/** Starts the torch engine's program as a command would, and ends it. */
async function tryTorch(python: string): Promise<Machine["torchEngine"]> {
  try {
    const { client, installation } = await TorchClient.connect(startTorchProcess(python), python);
    await client.close();
    const { executable, versions, cuda } = installation;
    return {
      works: true,
      python: executable,
      packages: versions,
      devices: ["cpu", ...cuda.map((name) => `cuda (${name})`)],
    };
  } catch (error) {
    return { works: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

function compareVersions(a: string, b: string): number {
  const [x, y] = [a, b].map((version) => version.split(".").map(Number));
  for (let i = 0; i < 3; i++) if (x![i] !== y![i]) return (x![i] ?? 0) - (y![i] ?? 0);
  return 0;
}
