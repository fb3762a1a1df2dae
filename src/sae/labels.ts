/** What latents are said to mean. Several explanations a latent; the first is shown. */
import { InputError, quote } from "../formats/input-error.js";

export interface Label {
  readonly description: string;
  /** How it was made ("oai_token-act-pair", …) and by which model, where the file says so. */
  readonly typeName?: string;
  readonly explanationModelName?: string;
}

export type Labels = ReadonlyMap<number, readonly Label[]>;

/** Explanations of one latent: published exports have up to five; more is a file that repeats itself. */
const MAX_EXPLANATIONS = 1000;

/** Gathers labels from files in their order. */
export class LabelCollector {
  readonly #labels = new Map<number, Label[]>();
  readonly #sae: LabelledSae | undefined;

  /** `sae`: where there is one; a label beyond its width, or of another layer's source, belongs to another SAE. */
  constructor(sae?: LabelledSae) {
    this.#sae = sae;
  }

  get labels(): Labels {
    return this.#labels;
  }

  /** Neuronpedia calls a source by its layer first ("15-llamascope-res-131k"). InputError where that is another layer than the SAE's. */
  requireSource(source: string, where: string): void {
    const layer = /^(\d{1,4})-/.exec(source)?.[1];
    if (layer === undefined || this.#sae?.layer === undefined) return;
    const reads = [this.#sae.layer];
    // What a block reads is what the block before it wrote, and has both their numbers.
    if (this.#sae.hook?.includes("resid_pre")) reads.push(this.#sae.layer + 1);
    if (!reads.includes(Number(layer)))
      throw new InputError(
        `${where} is of ${quote(source)}, but the SAE reads layer ${reads[0]}; the labels belong to another SAE`,
      );
  }

  /** Adds what `where` says of a latent; the same text is kept once, none at all not. InputError for a latent that the SAE lacks. */
  add(latent: number, label: Label, where: string): void {
    if (this.#sae !== undefined && latent >= this.#sae.latents)
      throw new InputError(
        `${where} labels latent ${latent}, but the SAE has ${this.#sae.latents}; the labels belong to another SAE`,
      );
    const description = label.description.trim();
    if (description === "") return;
    const known = this.#labels.get(latent);
    if (known === undefined) this.#labels.set(latent, [{ ...label, description }]);
    else if (known.length === MAX_EXPLANATIONS)
      throw new InputError(`${where}: more than ${MAX_EXPLANATIONS} labels of latent ${latent}`);
    else if (!known.some((one) => one.description === description)) known.push({ ...label, description });
  }
}

/** What is known of the SAE whose labels are read. */
export interface LabelledSae {
  readonly latents: number;
  /** Layer that it reads, the residual after that block; with its hook point where it names one. */
  readonly layer?: number;
  readonly hook?: string;
}

/** A label file's text; latents ascending. `modelId` and `layer` are Neuronpedia's names of the model and the source. */
export function writeLabels(labels: Labels, source: { readonly modelId: string; readonly layer: string }): string {
  return [...labels.keys()]
    .sort((a, b) => a - b)
    .flatMap((id) => labels.get(id)!.map((label) => `${JSON.stringify({ ...source, index: String(id), ...label })}\n`))
    .join("");
}

/** The label to show for a latent: the first there is, else undefined. */
export function firstLabel(labels: Labels, latent: number): string | undefined {
  return labels.get(latent)?.[0]?.description;
}
