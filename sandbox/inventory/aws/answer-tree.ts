/** An answer of AWS, whichever protocol it came in: texts, named parts and lists. What is not there reads as empty. */
export class AnswerTree {
  /** An answer that says nothing. */
  static readonly empty = new AnswerTree('', new Map(), []);

  /** A leaf's text: numbers and booleans as JSON writes them. */
  readonly value: string;
  /** Elements of an array, or an XML element's children in order. */
  readonly items: readonly AnswerTree[];
  readonly #parts: ReadonlyMap<string, AnswerTree>;
  /** Of XML: the names of `items`. */
  readonly #names: readonly string[];

  private constructor(
    value: string,
    parts: ReadonlyMap<string, AnswerTree>,
    items: readonly AnswerTree[],
    names: readonly string[] = [],
  ) {
    this.value = value;
    this.#parts = parts;
    this.#names = names;
    this.items = items;
  }

  static ofJson(value: unknown): AnswerTree {
    if (Array.isArray(value)) return new AnswerTree('', new Map(), value.map(AnswerTree.ofJson));
    if (typeof value !== 'object' || value === null) return new AnswerTree(leafText(value), new Map(), []);
    const parts = Object.entries(value).map(([name, part]) => [name, AnswerTree.ofJson(part)] as const);
    return new AnswerTree('', new Map(parts), []);
  }

  /** Reads the XML that AWS's APIs answer: elements and text; attributes are passed over. @throws SyntaxError when tags do not match. */
  static ofXml(xml: string): AnswerTree {
    const root: XmlElement = { name: '', text: '', children: [] };
    const open = [root];
    for (const [, text = '', isEnd, name = '', isEmpty] of xml.matchAll(xmlToken)) {
      const parent = open.at(-1);
      if (!parent) break;
      parent.text += text;
      if (isEnd) {
        if (parent.name !== name || open.length === 1)
          throw new SyntaxError(`</${name}> closes <${parent.name}> in ${xml.slice(0, 200)}`);
        open.pop();
      } else if (name !== '') {
        const element = { name, text: '', children: [] };
        parent.children.push(element);
        if (!isEmpty) open.push(element);
      }
    }
    if (open.length !== 1) throw new SyntaxError(`<${open.at(-1)?.name ?? ''}> is not closed in ${xml.slice(0, 200)}`);
    // What is asked for is what the document's one element holds.
    return AnswerTree.#ofElement(root).items[0] ?? AnswerTree.empty;
  }

  static #ofElement({ text, children }: XmlElement): AnswerTree {
    if (children.length === 0) return new AnswerTree(decodeEntities(text.trim()), new Map(), []);
    const items = children.map((child) => AnswerTree.#ofElement(child));
    // Of repeated names the first is the part; all of them are items.
    const parts = new Map(children.map((child, i) => [child.name, items[i] ?? AnswerTree.empty] as const).reverse());
    const names = children.map(({ name }) => name);
    return new AnswerTree('', parts, items, names);
  }

  /** Of XML: every element of the name, where a list has no element of its own around it. */
  all(name: string): readonly AnswerTree[] {
    return this.items.filter((_, i) => this.#names[i] === name);
  }

  /** The part at this path (`a.b`). */
  at(path: string): AnswerTree {
    return path.split('.').reduce<AnswerTree>((tree, name) => tree.#parts.get(name) ?? AnswerTree.empty, this);
  }

  /** The text of the part at this path. */
  text(path: string): string {
    return this.at(path).value;
  }

  /** The elements of the list at this path. */
  list(path: string): readonly AnswerTree[] {
    return this.at(path).items;
  }

  /** Names of all parts, each with the part. */
  parts(): [name: string, part: AnswerTree][] {
    return [...this.#parts];
  }

  /** Names and texts of all parts that are leaves. */
  entries(): [name: string, text: string][] {
    return [...this.#parts].map(([name, part]) => [name, part.value]);
  }
}

interface XmlElement {
  readonly name: string;
  text: string;
  readonly children: XmlElement[];
}

// Text, then a tag: declarations and comments match with an empty name. Prefixes of namespaces are dropped.
const xmlToken = /([^<]*)<(?:[?!][^>]*|(\/)?(?:[\w.-]+:)?([\w.-]+)(?:\s(?:[^>"']|"[^"]*"|'[^']*')*?)?(\/)?)>/g;

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal) return String.fromCodePoint(Number(decimal));
    return entities[name ?? ''] ?? whole;
  });
}

function leafText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
