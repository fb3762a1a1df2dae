/** Interpreters that fail in the ways that processes do: each is a small shell script in Python's place. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { InputError } from "../../formats/input-error.js";
import { EngineError } from "../engine-error.js";
import { TorchClient } from "./client.js";
import { startTorchProcess } from "./node-process.js";

const root = mkdtempSync(join(tmpdir(), "antecedent-torch-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;

function interpreter(script: string): string {
  const path = join(root, `python${made++}`);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const HELLO = `echo '{"antecedent":1,"python":"3.11","executable":"/p","versions":{"torch":"2.13"},"cuda":[]}'`;
const connect = (python: string) => TorchClient.connect(startTorchProcess(python), python);

describe("a Python that cannot serve is the user's to change:", () => {
  it.each([
    ["is not there", () => "/no/such/python", /no such program.*--python PATH or ANTECEDENT_PYTHON/],
    ["ends at once", () => interpreter("echo 'SyntaxError: old' >&2; exit 3"), /ended with code 3: SyntaxError: old/],
    [
      "lacks torch",
      () => interpreter(`echo '{"antecedent":1,"missing":"python has no torch; install it"}'`),
      /has no torch; install it with --python/,
    ],
  ])("it %s", async (_, python, message) => {
    const call = connect(python());
    await expect(call).rejects.toThrow(InputError);
    await expect(call).rejects.toThrow(message);
  });

  it("or of another version", async () => {
    const call = connect(interpreter(HELLO.replace('"antecedent":1', '"antecedent":99')));
    await expect(call).rejects.toThrow(/another protocol/);
  });
});

describe("a process that dies", () => {
  it("under a request is reported with its last words, and later requests too", async () => {
    const { client, installation } = await connect(
      interpreter(`${HELLO}; head -c 1 > /dev/null; echo 'CUDA error: an illegal access' >&2; kill -9 $$`),
    );
    expect(installation.versions).toEqual({ torch: "2.13" });
    const calls = [client.call("score"), client.call("score")];
    for (const call of [...calls, client.call("score")]) {
      await expect(call).rejects.toThrow(EngineError);
      await expect(call).rejects.toThrow(/ended by SIGKILL; it said last: CUDA error: an illegal access/);
    }
    await expect(client.call("score")).rejects.toThrow(/ended by SIGKILL/);
    await client.close();
  });

  it("or writes nonsense is given up", async () => {
    const { client } = await connect(
      interpreter(`${HELLO}; head -c 1 > /dev/null; echo 'some library says hello'; cat`),
    );
    await expect(client.call("score")).rejects.toThrow(/no message of its protocol/);
    await client.close();
  });

  it("or does not want to end is killed", async () => {
    const { client } = await connect(interpreter(`${HELLO}; trap '' TERM; while :; do sleep 0.1; done`));
    const call = client.call("score");
    const closed = client.close();
    await expect(call).rejects.toThrow(/closed/);
    await closed;
  }, 20_000);
});
