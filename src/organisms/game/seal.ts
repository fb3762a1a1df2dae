/**
 * The seal of a blind game: the truth encrypted under a key that only the game's maker has, and a published commitment to it.
 *
 *   commitment = SHA-256(salt ‖ canonical JSON of the truth), salt = 32 random bytes
 *   sealed     = AES-256-GCM(key, nonce, salt ‖ length ‖ JSON ‖ zeros)
 *
 * 1. The salt lies inside the seal, so that nobody can find the truth by hashing likely ones; after the reveal everybody can
 *    compute the commitment again, and sees that the truth was there before the guess.
 * 2. Zeros fill the text up to a power of two: how long the truth is would tell one trigger, or a decoy, from another.
 * 3. The key's hash is kept beside the text. The key has 256 random bits, so its hash helps nobody, and a wrong key can be told from
 *    a file that was changed.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { InputError } from "../../formats/input-error.js";
import { canonicalJson } from "./canonical-json.js";

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const SALT_BYTES = 32;
/** What NIST SP 800-38D recommends for GCM. */
const NONCE_BYTES = 12;
const LENGTH_BYTES = 4;
/** The truths of the pocket world have 40 to 60 kB, whatever the trigger: most games are equally long. */
const MIN_PADDED_BYTES = 1 << 17;

const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `give ${2 * bytes} hexadecimal digits`);

export const commitmentShape = hex(32);

export const sealedShape = z.strictObject({
  cipher: z.literal(CIPHER),
  keyHash: hex(32),
  nonce: hex(NONCE_BYTES),
  tag: hex(16),
  text: z.base64(),
});

export type Sealed = z.infer<typeof sealedShape>;

/** A new random key, 64 hexadecimal digits. */
export function newKey(): string {
  return randomBytes(KEY_BYTES).toString("hex");
}

/** The key in `text`. InputError, which does not repeat it, where it has not the form of one; `where` is the flag or file. */
export function parseKey(text: string, where: string): string {
  const key = text.trim().toLowerCase();
  if (!hex(KEY_BYTES).safeParse(key).success)
    throw new InputError(
      `${where}: is no key; a key has ${2 * KEY_BYTES} hexadecimal digits, as \`game new\` showed it`,
    );
  return key;
}

/** Encrypts `truth` (plain data) with a fresh salt and nonce. */
export function seal(truth: unknown, key: string): { sealed: Sealed; commitment: string } {
  const text = Buffer.from(canonicalJson(truth));
  const salt = randomBytes(SALT_BYTES);
  const used = SALT_BYTES + LENGTH_BYTES + text.length;
  const padded = Buffer.alloc(Math.max(MIN_PADDED_BYTES, 2 ** Math.ceil(Math.log2(used))));
  salt.copy(padded);
  padded.writeUInt32LE(text.length, SALT_BYTES);
  text.copy(padded, SALT_BYTES + LENGTH_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, Buffer.from(key, "hex"), nonce);
  const encrypted = Buffer.concat([cipher.update(padded), cipher.final()]);
  return {
    sealed: {
      cipher: CIPHER,
      keyHash: sha256(Buffer.from(key, "hex")),
      nonce: nonce.toString("hex"),
      tag: cipher.getAuthTag().toString("hex"),
      text: encrypted.toString("base64"),
    },
    commitment: sha256(salt, text),
  };
}

/**
 * Opens a seal and compares it with its commitment. InputError for a wrong key, a sealed text that was changed, and a commitment
 * that was; `where` names the files that the seal and the commitment are in.
 */
export function unseal(
  sealed: Sealed,
  commitment: string,
  key: string,
  where: { readonly sealed: string; readonly commitment: string },
): { truth: unknown; salt: string } {
  if (sha256(Buffer.from(key, "hex")) !== sealed.keyHash)
    throw new InputError(`${where.sealed}: this is not its key; give the one that \`game new\` showed for this game`);
  const padded = decrypted(sealed, key);
  const length = padded && padded.length >= SALT_BYTES + LENGTH_BYTES ? padded.readUInt32LE(SALT_BYTES) : 0;
  if (padded === undefined || length === 0 || SALT_BYTES + LENGTH_BYTES + length > padded.length)
    throw new InputError(`${where.sealed}: was changed or damaged after it was sealed; get the game's folder again`);
  const salt = padded.subarray(0, SALT_BYTES);
  const text = padded.subarray(SALT_BYTES + LENGTH_BYTES, SALT_BYTES + LENGTH_BYTES + length);
  if (sha256(salt, text) !== commitment)
    throw new InputError(
      `${where.commitment}: its commitment does not belong to the sealed truth, so one of them was exchanged; get the game's folder again`,
    );
  return { truth: JSON.parse(text.toString("utf8")), salt: salt.toString("hex") };
}

function decrypted({ nonce, tag, text }: Sealed, key: string): Buffer | undefined {
  const decipher = createDecipheriv(CIPHER, Buffer.from(key, "hex"), Buffer.from(nonce, "hex"));
  decipher.setAuthTag(Buffer.from(tag, "hex"));
  try {
    return Buffer.concat([decipher.update(Buffer.from(text, "base64")), decipher.final()]);
  } catch {
    return undefined; // the tag does not fit
  }
}

/** SHA-256 of the parts one after another, 64 hexadecimal digits. */
export function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
