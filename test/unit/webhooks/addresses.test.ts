import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../../src/webhooks/addresses.ts';
import { checkedAddresses, NO_PUBLIC_ADDRESS } from '../../../src/webhooks/destination.ts';
import { spellingProblem, urlProblem } from '../../../src/webhooks/url.ts';

const internet = { allowLoopback: false };
const here = { allowLoopback: true };

describe('addresses of the internet', () => {
  it.each(['8.8.8.8', '100.63.255.255', '172.32.0.1', '2606:4700::1111', '2a05:d018::1'])(
    '%s may be asked',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each([
    ...[
      '0.0.0.0',
      '10.1.2.3',
      '127.0.0.1',
      '127.9.9.9',
      '172.16.0.1',
      '192.168.0.1',
      '169.254.169.254',
      '169.254.170.2',
    ],
    ...[
      '100.64.0.1',
      '100.100.100.200',
      '168.63.129.16',
      '192.0.0.192',
      '192.0.2.1',
      '198.18.0.1',
      '224.0.0.1',
      '255.255.255.255',
    ],
    ...[
      '::',
      '::1',
      'fe80::1',
      'fe80::1%eth0',
      'fec0::1',
      'fc00::1',
      'fd00:ec2::254',
      'ff02::1',
      '2001:db8::1',
      '3fff::1',
      '100::1',
    ],
    // Those that carry an IPv4 address: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP.
    ...[
      '::ffff:10.0.0.1',
      '::ffff:8.8.8.8',
      '::10.0.0.1',
      '::ffff:0:10.0.0.1',
      '64:ff9b::a9fe:a9fe',
      '64:ff9b:1::a00:1',
    ],
    ...['2002:a00:1::', '2001:0:1::1', '2606:4700::5efe:a00:1', '2606:4700::200:5efe:a00:1'],
    ...['4000::1', 'not an address', ''],
  ])('%s may not', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('a URL', () => {
  it.each([
    'https://hooks.example.com/a?b=c',
    'https://8.8.8.8/',
    'https://hooks.example.com:8443',
    'https://[2606:4700::1111]/',
  ])('%s may be told', (url) => {
    expect(urlProblem(url, internet)).toBeUndefined();
  });

  it.each<readonly [string, string]>([
    ['http://hooks.example.com/', 'https'],
    ['ftp://hooks.example.com/', 'https'],
    ['file:///etc/passwd', 'https'],
    ['nonsense', 'must be a URL'],
    ['https://user@hooks.example.com/', 'user name'],
    ['https://:secret@hooks.example.com/', 'user name'],
    ['https://hooks.example.com/#part', 'fragment'],
    ['https://hooks.example.com:22/', 'port'],
    ['https://hooks.example.com:80/', 'port'],
    [`https://hooks.example.com/${'a'.repeat(2_000)}`, 'at most'],
    // However an address is written.
    ...['127.0.0.1', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', '10.0.0.1', '169.254.169.254', '0'].map(
      (host) => [`https://${host}/`, 'public host'] as const,
    ),
    ...['[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[fd00:ec2::254]', '[64:ff9b::7f00:1]'].map(
      (host) => [`https://${host}/`, 'public host'] as const,
    ),
    ...['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', '１２７.0.0.1', '127。0。0。1'].map(
      (host) => [`https://${host}/`, 'public host'] as const,
    ),
  ])('%s is refused: %s', (url, words) => {
    expect(urlProblem(url, internet)).toContain(words);
  });

  it.each(['https://a..b/', 'https://./', 'https://localhost../', 'https://.a.b/', 'https://a.b../'])(
    '%s has an empty part in its host',
    (url) => expect(urlProblem(url, internet)).toContain('host'),
  );

  it.each([
    ...[
      'https://a.example',
      'HTTPS://A.Example/',
      'https://a.example:443/x?y=/',
      'https://a.example?x',
      'https://a.example./',
    ],
    ...['https://a.example/%C3%A9', 'https://[2606:4700::1111]:8443/'],
  ])('%s reads as it is written', (url) => expect(spellingProblem(url)).toBeUndefined());

  it.each([
    ...[
      ' https://a.example/',
      'https://a.example/ ',
      'https://a.exa\nmple/',
      'https://a.example/\t',
      '\u0001https://a.example/',
    ],
    ...[
      'https:a.example',
      'https:/a.example/',
      'https:///a.example/',
      'https://a.example\\@b.example/',
      'https://@a.example/',
    ],
    ...[
      'https://:@a.example/',
      'https:\\a.example',
      'https://a.example/x/../y',
      'https://ａ.example/',
      'https://a%2eexample/',
    ],
  ])('%j does not', (url) => expect(spellingProblem(url)).toContain('must be written'));

  it('may lead to this host by its own name or address where that is allowed, and to no other network', () => {
    for (const url of [
      'http://127.0.0.1:80/',
      'https://localhost:9/',
      'http://[::1]:8080/',
      'https://hooks.example.com/',
    ])
      expect(urlProblem(url, here)).toBeUndefined();
    for (const url of ['http://hooks.example.com/', 'https://10.0.0.1/', 'http://169.254.169.254/', 'https://0.0.0.0/'])
      expect(urlProblem(url, here)).toBeTypeOf('string');
  });
});

describe('where a URL leads', () => {
  const { signal } = new AbortController();
  const looking = (addresses: readonly string[], policy = internet) => {
    const asked: string[] = [];
    const resolve = (host: string) => {
      asked.push(host);
      return Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }) as const));
    };
    const answer = checkedAddresses(new URL('https://hooks.example.com./x'), { policy, resolve, signal });
    return { answer, asked };
  };

  it('is asked once, and is every address of the name', async () => {
    const { answer, asked } = looking(['8.8.8.8', '2606:4700::1111']);
    expect((await answer).map(({ address }) => address)).toEqual(['8.8.8.8', '2606:4700::1111']);
    expect(asked).toEqual(['hooks.example.com']);
  });

  it('is refused when one address of several is not public, without saying which, also where loopback is allowed', async () => {
    for (const policy of [internet, here])
      for (const address of ['127.0.0.1', '10.0.0.7', '::ffff:10.0.0.7', '169.254.169.254']) {
        const refused: unknown = await looking(['8.8.8.8', address], policy).answer.catch((error: unknown) => error);
        expect(refused).toMatchObject({
          name: 'RefusedAddressError',
          message: NO_PUBLIC_ADDRESS,
        });
        expect(String(refused)).not.toContain(address);
      }
    await expect(looking([]).answer).rejects.toThrow(NO_PUBLIC_ADDRESS);
  });

  it('needs no resolver for an address, which is looked at all the same', async () => {
    const resolve = () => Promise.reject(new Error('asked'));
    const at = (url: string, policy = internet) => checkedAddresses(new URL(url), { policy, resolve, signal });
    expect(await at('https://8.8.8.8/')).toEqual([{ address: '8.8.8.8', family: 4 }]);
    await expect(at('https://[::ffff:10.0.0.1]/')).rejects.toThrow(NO_PUBLIC_ADDRESS);
    expect(await at('http://[::1]:80/', here)).toEqual([{ address: '::1', family: 6 }]);
    expect(await at('http://localhost:80/', here)).toHaveLength(2);
  });
});
