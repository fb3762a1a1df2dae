/** Expected places are those that huggingface_hub 2.4 computes from the same variables. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { hubAccess, hubEnvironment } from "./hub-environment.js";
import { parseHubReference, requireHubReference, showReference } from "./hub-reference.js";

const home = mkdtempSync(join(tmpdir(), "hub-home-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

it.each([
  [{}, join(homedir(), ".cache/huggingface/hub")],
  [{ XDG_CACHE_HOME: "/x" }, "/x/huggingface/hub"],
  [{ HF_HOME: "/h", XDG_CACHE_HOME: "/x" }, "/h/hub"],
  [{ HUGGINGFACE_HUB_CACHE: "/old", HF_HOME: "/h" }, "/old"],
  [{ HF_HUB_CACHE: "/c", HUGGINGFACE_HUB_CACHE: "/old", HF_HOME: "/h" }, "/c"],
  [{ HF_HOME: "~/h" }, join(homedir(), "h/hub")],
  [{ HF_HUB_CACHE: `$DISK/$\{SUB}/c`, DISK: "/d", SUB: "s" }, "/d/s/c"],
])("with %j the cache is %s", (variables, cache) => {
  expect(hubEnvironment(variables).cache).toBe(cache);
});

it.each([
  ["1", true],
  ["yes", true],
  ["0", false],
  ["", false],
])("HF_HUB_OFFLINE=%s", (value, offline) => {
  expect(hubEnvironment({ HF_HUB_OFFLINE: value }).offline).toBe(offline);
});

it("takes the token of the environment, else that of the file, else none", () => {
  expect(hubAccess({ HF_HOME: home }).token).toBeUndefined();
  writeFileSync(join(home, "token"), "hf_file\n");
  expect(hubAccess({ HF_HOME: home }).token).toBe("hf_file");
  expect(hubAccess({ HF_TOKEN_PATH: join(home, "token") }).token).toBe("hf_file");
  expect(hubAccess({ HF_HOME: home, HF_TOKEN: " hf_variable " }).token).toBe("hf_variable");
  expect(hubAccess({ HF_HOME: home, HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" }).token).toBeUndefined();
});

it("keeps the token from other machines that are asked over http, and out of messages", () => {
  const away = hubAccess({ HF_TOKEN: "hf_x", HF_ENDPOINT: "http://mirror.example/" });
  expect([away.token, away.tokenWithheld, away.endpoint]).toEqual([undefined, true, "http://mirror.example"]);
  expect(hubAccess({ HF_TOKEN: "hf_x", HF_ENDPOINT: "http://localhost:8080" }).token).toBe("hf_x");
  expect(() => hubAccess({ HF_TOKEN: "hf_x\nhost: evil" })).toThrow(/^HF_TOKEN: holds no Hugging Face token/);
});

it.each(["ftp://x", "nonsense", "https://user:password@x", "https://x?y"])("refuses HF_ENDPOINT %s", (HF_ENDPOINT) => {
  expect(() => hubAccess({ HF_ENDPOINT, HF_HOME: home })).toThrow(/^HF_ENDPOINT/);
});

it.each([
  ["owner/name", { repository: "owner/name", inside: "", revision: "main" }],
  ["fnlp/Llama3_1-8B-Base-LXR-8x/L1R", { repository: "fnlp/Llama3_1-8B-Base-LXR-8x", inside: "L1R", revision: "main" }],
  ["owner/name@v1.0", { repository: "owner/name", inside: "", revision: "v1.0" }],
  ["owner/name/a/b.gguf@refs/pr/1", { repository: "owner/name", inside: "a/b.gguf", revision: "refs/pr/1" }],
])("%s is a name on the hub", (text, reference) => {
  expect(parseHubReference(text)).toEqual(reference);
  expect(showReference(requireHubReference(text))).toBe(text);
});

it.each([
  "name",
  "./owner/name",
  "../owner/name",
  "/owner/name",
  "owner/",
  "owner/../name",
  "owner/name/../../x",
  "owner/name@../x",
  "owner/name@a/../../b",
  "owner/name@",
  "a--b/c",
  "owner/na me",
  "owner\\name",
  "https://huggingface.co/owner/name",
])("%s is none", (text) => {
  expect(parseHubReference(text)).toBeUndefined();
  expect(() => requireHubReference(text)).toThrow(/is no name on the Hugging Face hub; give owner\/name/);
});
