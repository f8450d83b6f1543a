import fc from 'fast-check';

/** Who calls, and whose rows are meant: their partition keys. */
export interface Targets {
  readonly own: string;
  readonly victim: string;
}

const names = {
  ...{ '#pk': 'PK', '#sk': 'SK', '#gp': 'GSI1PK', '#gs': 'GSI1SK' },
  ...{ '#t': 'text', '#s': 'stolen', '#d': 'GSI1PK.x' },
};
const valuesOf = ({ own, victim }: Targets) => ({
  ...{ ':own': own, ':ownIndex': `${own}#ALL`, ':victim': victim, ':victimIndex': `${victim}#ALL` },
  ...{ ':prefix': 'ACCOUNT#', ':row': 'ROW#1', ':low': ' ', ':high': '~', ':n': 1, ':list': [victim] },
});

/** What stands for another account's key, in each form that a check could take for something else. */
export const sneakyValues = ({ victim }: Targets): unknown[] => [
  ...[
    victim,
    `${victim}#ALL`,
    [victim],
    Object(victim) as object,
    { toString: () => victim },
    new Set([victim]),
    null,
    1,
  ],
];

/** What the placeholders of all expressions here stand for, mostly what they say. */
export function placeholders(targets: Targets) {
  const values = valuesOf(targets);
  return fc.record({
    ExpressionAttributeNames: fc.oneof(
      { weight: 6, arbitrary: fc.constant<object>(names) },
      fc.constantFrom<object>({ ...names, '#tenantryOwner': 'text' }, { ...names, '#t': 'GSI1PK' }),
    ),
    ExpressionAttributeValues: fc.oneof(
      { weight: 6, arbitrary: fc.constant<object>(values) },
      fc.constantFrom(...sneakyValues(targets)).map((value) => ({ ...values, ':ownIndex': value, ':own': value })),
      fc.constant({ ...values, ':tenantryPartition': targets.victim, ':tenantryOwner': targets.victim }),
    ),
  });
}

/** DynamoDB refuses placeholders that no expression uses, whatever else the call would have done: they go. */
export function withUsedPlaceholders(input: unknown): unknown {
  if (Array.isArray(input)) return input.map(withUsedPlaceholders);
  if (typeof input !== 'object' || input === null || 'PK' in input || 'SK' in input) return input;
  const fields = Object.entries(input).map(([name, value]) => [name, withUsedPlaceholders(value)] as const);
  const text = fields.filter(([name]) => name.endsWith('Expression')).map(([, value]) => String(value));
  const used = new Set(text.join(' ').match(/[#:]\w+/g));
  const isPlaceholders = (name: string) => name.startsWith('ExpressionAttribute');
  const onlyUsed = (given: object) => Object.fromEntries(Object.entries(given).filter(([key]) => used.has(key)));
  return Object.fromEntries(
    fields
      .map(([name, value]) => [name, isPlaceholders(name) ? onlyUsed(value as object) : value] as const)
      .filter(([name, value]) => !isPlaceholders(name) || Object.keys(value as object).length > 0),
  );
}

const oneOf = (...expressions: readonly string[]) => fc.constantFrom(...expressions);
const words = (text: string) => oneOf(...text.split(' '));
const soup = fc
  .array(
    fc.oneof(
      words(
        'PK #pk SK #sk GSI1PK #gp GSI1SK #gs #t #s stolen :own :ownIndex :victim :victimIndex :prefix :row :low :n :list',
      ),
      words(
        '= <> < >= ( ) , . [ ] 0 + - AND or NOT BETWEEN IN SET remove ADD DELETE begins_with contains size list_append',
      ),
      words('if_not_exists attribute_exists #tenantryOwner :tenantryPartition # : #constructor -- ; " \n \u00a0'),
      oneOf(')) OR (PK = :victim) OR ((', 'attribute_exists(#t)', '#t = :n'),
    ),
    { maxLength: 12 },
  )
  .map((found) => found.join(' '));

const anyValue = words(':own :ownIndex :victim :victimIndex');
const equal = fc.tuple(words('PK #pk GSI1PK #gp'), anyValue).map(([name, value]) => `${name} = ${value}`);
const sorted = oneOf('SK = :row', 'begins_with(SK, :low)', '#sk BETWEEN :low AND :high', 'GSI1SK > :low', '#gs = :row');
const joint = oneOf(' AND ', ' OR ', ') OR (', ' AND NOT ');

export const keyConditions = fc.oneof(
  { weight: 3, arbitrary: equal },
  sorted,
  fc.tuple(equal, joint, fc.oneof(equal, sorted)).map((found) => found.join('')),
  oneOf('begins_with(PK, :prefix)', 'begins_with(#gp, :prefix)', 'PK BETWEEN :low AND :high', 'GSI1PK > :low'),
  soup,
);

export const filters = fc.oneof(
  oneOf('PK = :victim', '#pk <> :own', 'NOT #pk = :own', 'attribute_exists(#t) OR PK = :victim', '#pk IN (:victim)'),
  oneOf('NOT #t = :n', 'attribute_exists(#t)', 'NOT contains(#t, :row) OR size(#t) > :n', '#t = :n) OR (PK <> :own'),
  soup,
);

const assigned = oneOf(
  ...[':victim', ':victimIndex', ':ownIndex', 'stolen', '#s', 'if_not_exists(stolen, :ownIndex)', '(:victimIndex)'],
  ...['if_not_exists(GSI1PK, :victimIndex)', 'if_not_exists(absent, :victimIndex)', 'if_not_exists(#gp, stolen)'],
  ...['list_append(:list, :list)', ':n + :n', 'if_not_exists(absent, if_not_exists(#s, :victim))'],
);
const targetsOfUpdates = words('PK #pk SK GSI1PK #gp GSI1PK #gp #gp.x #d GSI1PK[0] #t');

export const updates = fc.oneof(
  fc.tuple(targetsOfUpdates, assigned).map(([name, value]) => `SET ${name} = ${value}`),
  fc.tuple(words('PK #gp GSI1PK'), anyValue).map(([name, value]) => `set #t = :n, ${name} = ${value}`),
  oneOf('REMOVE #pk', 'REMOVE GSI1PK', 'ADD #gp :victimIndex', 'DELETE GSI1PK :list', 'SET #t = :n SET #gp = :victim'),
  soup,
);
