/**
 * The order of test files: what takes minutes by itself comes first, or one worker would do it alone in the end. Vitest
 * goes by size of file until it has seen a run, and these are short.
 */

import { BaseSequencer, type TestSpecification } from 'vitest/node';

const FIRST = /\/(native-core|native-fuzz|operations-walkthrough|callfile-large)\.test\.ts$/;

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isFirst = ({ moduleId }: TestSpecification): boolean => FIRST.test(moduleId);
    return [...sorted.filter(isFirst), ...sorted.filter((file) => !isFirst(file))];
  }
}
