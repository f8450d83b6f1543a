/** What stands before the figures of a name in Prometheus' text format (0.0.4). */
export function metricHead(name: string, type: 'counter' | 'gauge' | 'summary' | 'histogram', help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}
