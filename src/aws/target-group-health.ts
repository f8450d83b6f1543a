import type { TargetGroup as RawGroup } from '@aws-sdk/client-elastic-load-balancing-v2';

/** The health check of a tenant's target groups but for its path (requirement U-24). Times in s. */
export const HEALTH_CHECK = {
  isEnabled: true,
  protocol: 'HTTP',
  port: 'traffic-port',
  intervalSeconds: 30,
  timeoutSeconds: 5,
  healthyCount: 2,
  unhealthyCount: 3,
  httpCodes: '200-399',
} as const;

/** Undefined where AWS does not say it. */
export type HealthCheck = { readonly [K in keyof typeof HEALTH_CHECK]: string | number | boolean | undefined };

/** Fields of CreateTargetGroup and ModifyTargetGroup. */
export function healthCheckInput(path: string) {
  return {
    HealthCheckEnabled: HEALTH_CHECK.isEnabled,
    HealthCheckProtocol: HEALTH_CHECK.protocol,
    HealthCheckPort: HEALTH_CHECK.port,
    HealthCheckPath: path,
    HealthCheckIntervalSeconds: HEALTH_CHECK.intervalSeconds,
    HealthCheckTimeoutSeconds: HEALTH_CHECK.timeoutSeconds,
    HealthyThresholdCount: HEALTH_CHECK.healthyCount,
    UnhealthyThresholdCount: HEALTH_CHECK.unhealthyCount,
    Matcher: { HttpCode: HEALTH_CHECK.httpCodes },
  };
}

export function healthCheckOf(raw: RawGroup): HealthCheck {
  return {
    isEnabled: raw.HealthCheckEnabled,
    protocol: raw.HealthCheckProtocol,
    port: raw.HealthCheckPort,
    intervalSeconds: raw.HealthCheckIntervalSeconds,
    timeoutSeconds: raw.HealthCheckTimeoutSeconds,
    healthyCount: raw.HealthyThresholdCount,
    unhealthyCount: raw.UnhealthyThresholdCount,
    httpCodes: raw.Matcher?.HttpCode,
  };
}
