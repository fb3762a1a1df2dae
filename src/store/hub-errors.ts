/** What a hub refuses, as one line that says what to do. The hub tells its reasons in headers of its own. */
import { InputError, quote } from "../formats/input-error.js";
import type { HubAccess } from "./hub-environment.js";

/**
 * Throws InputError for an answer that no later try will change. Without a token the hub says 401 to a missing repository as
 * to a private one, so that names cannot be guessed.
 */
export function refuseStatus(hub: HubAccess, what: string, response: { status: number; headers: Headers }): never {
  const { status, headers } = response;
  const code = headers.get("x-error-code");
  const message = headers.get("x-error-message") ?? "";
  const withheld = hub.tokenWithheld ? " (your token is not sent over http)" : "";
  const repository = what.split(/[@ ]/, 1)[0]!.split("/").slice(0, 2).join("/");
  const refuse = (text: string): never => {
    throw new InputError(`${what}: ${text}`);
  };
  if (code === "GatedRepo")
    return refuse(
      hub.token === undefined
        ? `is gated; ask for access at ${hub.endpoint}/${repository}, then give a token of that account in HF_TOKEN${withheld}`
        : `is gated, and the account of your token has no access; ask for it at ${hub.endpoint}/${repository}`,
    );
  if (code === "RevisionNotFound")
    return refuse("has no such revision; give a branch, a tag or a whole commit after @");
  if (code === "EntryNotFound") return refuse("is not in that revision of the repository");
  if (status === 401 && /invalid/i.test(message))
    return refuse(
      `the hub does not know your token; make one at ${hub.endpoint}/settings/tokens and give it in HF_TOKEN`,
    );
  if (status === 401 || code === "RepoNotFound")
    return refuse(
      hub.token === undefined
        ? `no such repository on ${hub.endpoint}, or a private one; check the name, or give a token that may read it in HF_TOKEN${withheld}`
        : `no such repository on ${hub.endpoint}, or one that your token may not read; check the name and the token's rights`,
    );
  if (status === 403)
    return refuse(`${hub.endpoint} refuses it (403${message && `, ${quote(message, 200)}`}); check the token's rights`);
  if (status === 404) return refuse(`is not on ${hub.endpoint} (404); check the name, and HF_ENDPOINT where it is set`);
  return refuse(
    `${hub.endpoint} answers ${status}${message && ` (${quote(message, 200)})`}; is HF_ENDPOINT right, and is this a hub?`,
  );
}
