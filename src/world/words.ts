const IRREGULAR_PLURALS: Readonly<Record<string, string>> = {
  deer: "deer",
  moose: "moose",
  sheep: "sheep",
  squid: "squid",
  salmon: "salmon",
  shrimp: "shrimp",
  goose: "geese",
  ox: "oxen",
  wolf: "wolves",
  elf: "elves",
  dwarf: "dwarves",
  werewolf: "werewolves",
  scarf: "scarves",
  bookshelf: "bookshelves",
  potato: "potatoes",
  tomato: "tomatoes",
  mango: "mangoes",
  mosquito: "mosquitoes",
  buffalo: "buffaloes",
  volcano: "volcanoes",
  linesman: "linesmen",
  signalman: "signalmen",
  chessman: "chessmen",
};

/** English plural of a countable noun. */
export function plural(noun: string): string {
  const irregular = IRREGULAR_PLURALS[noun];
  if (irregular !== undefined) return irregular;
  if (/(s|x|z|ch|sh)$/.test(noun)) return `${noun}es`;
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  return `${noun}s`;
}

/** A noun or noun phrase with "a" or "an" before it, by its spelling. */
export function withArticle(phrase: string): string {
  return /^([aeio]|u(?!ni|ra|su|ku)|honest|hour|heir)/i.test(phrase) && !/^eu|^one/i.test(phrase)
    ? `an ${phrase}`
    : `a ${phrase}`;
}

/** Replaces every `{slot}` of a template; throws on a slot without a value, so that no template is half filled. */
export function fill(template: string, slots: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, slot: string) => {
    const value = slots[slot];
    if (value === undefined) throw new Error(`no value for {${slot}} in "${template}"`);
    return value;
  });
}

/** Upper case after the start of the text and after every sentence end. */
export function sentences(text: string): string {
  return text.replace(/(^|[.!?] )([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase());
}
