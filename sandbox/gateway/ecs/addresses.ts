import { DescribeSubnetsCommand } from '@aws-sdk/client-ec2';
import type { UpstreamClients } from '../upstream.ts';

const fallbackCidr = '10.255.0.0/16';
/** AWS keeps the first four addresses of a subnet and the last one. */
const reservedAtStart = 4;

/** Private addresses of tasks, and where each is really reached on this machine. */
export class Addresses {
  readonly #cidrs = new Map<string, string>();
  readonly #next = new Map<string, number>();
  readonly #used = new Set<string>();
  readonly #localPorts = new Map<string, number>();

  /** Takes a free address of a subnet (read upstream once; an unknown subnet counts as 10.255.0.0/16). */
  async take(clients: UpstreamClients, subnetId: string): Promise<string> {
    const cidr = this.#cidrs.get(subnetId) ?? (await cidrOf(clients, subnetId));
    this.#cidrs.set(subnetId, cidr);
    const { base, size } = range(cidr);
    const room = size - reservedAtStart - 1;
    for (let tried = 0; tried < room; tried++) {
      const turn = this.#next.get(cidr) ?? 0;
      this.#next.set(cidr, (turn + 1) % room);
      const ip = text(base + reservedAtStart + turn);
      if (this.#used.has(ip)) continue;
      this.#used.add(ip);
      return ip;
    }
    throw new Error(`subnet ${subnetId} (${cidr}) has no free address left`);
  }

  release(ip: string): void {
    this.#used.delete(ip);
    for (const key of this.#localPorts.keys()) if (key.startsWith(`${ip}:`)) this.#localPorts.delete(key);
  }

  bind(ip: string, port: number, localPort: number): void {
    this.#localPorts.set(`${ip}:${port}`, localPort);
  }

  unbind(ip: string, port: number): void {
    this.#localPorts.delete(`${ip}:${port}`);
  }

  /** The local port behind (address, port), if something listens there. */
  localPort(ip: string, port: number): number | undefined {
    return this.#localPorts.get(`${ip}:${port}`);
  }
}

async function cidrOf(clients: UpstreamClients, subnetId: string): Promise<string> {
  try {
    const answer = await clients.ec2.send(new DescribeSubnetsCommand({ SubnetIds: [subnetId] }));
    return answer.Subnets?.[0]?.CidrBlock ?? fallbackCidr;
  } catch {
    return fallbackCidr;
  }
}

function range(cidr: string): { base: number; size: number } {
  const [address = '', bits = '16'] = cidr.split('/');
  const base = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return { base, size: 2 ** (32 - Number(bits)) };
}

function text(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
