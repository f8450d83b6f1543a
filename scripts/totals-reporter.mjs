// A vitest reporter that adds its counts to the file TENANTRY_TEST_TOTALS (see totals.mjs), each failure with its message and,
// unlike vitest's JSON report, with the difference between what was expected and what was there.
import { stripVTControlCharacters } from 'node:util';
import { reportTotals, slowestOf } from './totals.mjs';

export default class TotalsReporter {
  onTestRunEnd(modules, unhandled) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const failures = [
      ...tests
        .filter((test) => test.result().state === 'failed')
        .map((test) => failed(nameOf(test), test.result().errors)),
      // A file that could not be loaded, or whose hooks failed.
      ...modules.flatMap((module) => {
        const errors = [module, ...module.children.allSuites()].flatMap((part) => part.errors());
        return errors.length > 0 ? [failed(module.relativeModuleId, errors)] : [];
      }),
      ...(unhandled.length > 0 ? [failed('outside any test', unhandled)] : []),
    ];
    const passed = tests.filter((test) => test.result().state === 'passed').length;
    const timed = tests.map((test) => ({ test: nameOf(test), ms: test.diagnostic()?.duration ?? 0 }));
    reportTotals({ passed, failed: failures.length, failures, slowest: slowestOf(timed) });
  }
}

const nameOf = (test) => `${test.module.relativeModuleId} > ${test.fullName}`;

function failed(test, errors) {
  return { test, why: errors.map(words).join('\n') };
}

function words({ message = '', diff = '', stack = '' }) {
  const place = stack.split('\n').find((line) => line.includes('.test.ts')) ?? '';
  return stripVTControlCharacters([message, diff, place.trim()].filter(Boolean).join('\n'));
}
