import { describe, expect, it } from 'vitest';
import { AnswerTree } from '../../../sandbox/inventory/aws/answer-tree.ts';
import { signedHeaders } from '../../../sandbox/inventory/aws/signature.ts';

describe('an answer', () => {
  it('in XML gives texts, parts and lists', () => {
    const answer = AnswerTree.ofXml(
      `<?xml version="1.0"?>
       <Response xmlns="http://x"><!-- a comment -->
         <Result><Name a="b>c">A &amp; B &#x41;&#66;</Name><Empty/><List><member><Id>1</Id></member><member><Id>2</Id></member></List></Result>
       </Response>`,
    );
    expect(answer.text('Result.Name')).toBe('A & B AB');
    expect(answer.text('Result.Empty')).toBe('');
    expect(answer.list('Result.List').map((m) => m.text('Id'))).toEqual(['1', '2']);
    expect(answer.list('Result.Absent.List')).toEqual([]);
  });

  it('in XML that is cut off is refused', () => {
    expect(() => AnswerTree.ofXml('<A><B>text</B>')).toThrow(/<A> is not closed/);
    expect(() => AnswerTree.ofXml('<A><B></A></B>')).toThrow(SyntaxError);
  });

  it('in JSON reads the same way', () => {
    const answer = AnswerTree.ofJson({ a: { n: 1, b: false, s: 'x', none: null }, list: ['p', 'q'], tags: { k: 'v' } });
    expect([answer.text('a.n'), answer.text('a.b'), answer.text('a.s'), answer.text('a.none')]).toEqual([
      '1',
      'false',
      'x',
      '',
    ]);
    expect(answer.list('list').map((i) => i.value)).toEqual(['p', 'q']);
    expect(answer.at('tags').entries()).toEqual([['k', 'v']]);
  });
});

describe('a signature', () => {
  it('is what AWS documents for its example request', () => {
    // "GET Object" example of "Authenticating Requests: Using the Authorization Header" (Amazon S3 API reference).
    const headers = signedHeaders(
      {
        method: 'GET',
        host: 'examplebucket.s3.amazonaws.com',
        path: '/test.txt',
        query: '',
        headers: { range: 'bytes=0-9' },
        body: '',
      },
      {
        accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
        secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
        region: 'us-east-1',
        service: 's3',
      },
      new Date('2013-05-24T00:00:00Z'),
    );
    expect(headers.authorization).toContain(
      'Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    );
  });
});
