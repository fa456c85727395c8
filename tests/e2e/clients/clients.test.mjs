// The published clients against a live server: AICTL_URL names it, AICTL_MODEL the model it serves.
// What passes here is what a person who changes only the base URL of their program can rely on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { embed, generateText, jsonSchema, streamText, tool } from 'ai';

const url = process.env.AICTL_URL;
const model = process.env.AICTL_MODEL;
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
const provider = createOpenAICompatible({ name: 'aictl', baseURL: `${url}/v1`, includeUsage: true });
const messages = [{ role: 'user', content: 'Tell me a story.' }];
const parameters = { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object',
  properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const tools = [{ type: 'function', function: { name: 'weather', description: 'The weather of a city.', parameters } }];

test('openai: models are listed and found by id', async () => {
  const list = await openai.models.list();
  assert.ok(list.data.some((m) => m.id === model));
  assert.equal((await openai.models.retrieve(model)).id, model);
});

test('openai: a chat completion has text, a finish reason and usage that adds up', async () => {
  const r = await openai.chat.completions.create({ model, messages, max_tokens: 12, temperature: 0, logprobs: true, top_logprobs: 2 });
  assert.equal(typeof r.choices[0].message.content, 'string');
  assert.ok(['stop', 'length'].includes(r.choices[0].finish_reason));
  assert.equal(r.usage.total_tokens, r.usage.prompt_tokens + r.usage.completion_tokens);
  assert.equal(r.choices[0].logprobs.content.length, r.usage.completion_tokens);
});

test('openai: a stream says the same as the whole answer, and carries usage at its end', async () => {
  const whole = await openai.chat.completions.create({ model, messages, max_tokens: 16, seed: 7 });
  const stream = await openai.chat.completions.create({
    model, messages, max_tokens: 16, seed: 7, stream: true, stream_options: { include_usage: true } });
  let text = '', usage = null, finish = null;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? '';
    finish = chunk.choices[0]?.finish_reason ?? finish;
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(finish, whole.choices[0].finish_reason);
  assert.deepEqual(usage.completion_tokens, whole.usage.completion_tokens);
});

test('openai: the stream helper collects a final completion', async () => {
  const final = await openai.chat.completions.stream({ model, messages, max_tokens: 8 }).finalChatCompletion();
  assert.equal(final.choices[0].message.role, 'assistant');
});

test('openai: n choices come back in order of their index', async () => {
  const r = await openai.chat.completions.create({ model, messages, max_tokens: 6, n: 3, temperature: 1.5, seed: 3 });
  assert.deepEqual(r.choices.map((c) => c.index), [0, 1, 2]);
});

test('openai: errors arrive as the classes people catch', async () => {
  await assert.rejects(openai.chat.completions.create({ model: 'absent', messages }), OpenAI.NotFoundError);
  await assert.rejects(openai.chat.completions.create({ model, messages, temperature: 9 }), (e) => {
    assert.ok(e instanceof OpenAI.BadRequestError);
    assert.equal(e.param, 'temperature');
    return true;
  });
  await assert.rejects(
    openai.chat.completions.create({ model, messages: [{ role: 'user', content: 'word '.repeat(200000) }] }),
    (e) => e instanceof OpenAI.BadRequestError && e.code === 'context_length_exceeded');
});

test('openai: an aborted stream ends at once and the server goes on', async () => {
  const stream = await openai.chat.completions.create({ model, messages, max_tokens: 200, stream: true, ignore_eos: true });
  let chunks = 0;
  for await (const _ of stream) if (++chunks === 3) stream.controller.abort();
  assert.ok(chunks >= 3);
  const after = await openai.chat.completions.create({ model, messages, max_tokens: 2 });
  assert.ok(after.usage.completion_tokens <= 2);
});

test('openai: completions take text and token ids', async () => {
  const text = await openai.completions.create({ model, prompt: 'Once upon a time', max_tokens: 8, temperature: 0 });
  assert.equal(typeof text.choices[0].text, 'string');
  const two = await openai.completions.create({ model, prompt: ['Once', 'Twice'], max_tokens: 4 });
  assert.equal(two.choices.length, 2);
});

test('openai: embeddings decode from base64 to a unit vector', async () => {
  const r = await openai.embeddings.create({ model, input: ['hello', 'world'] });
  assert.equal(r.data.length, 2);
  const norm = Math.hypot(...r.data[0].embedding);
  assert.ok(Math.abs(norm - 1) < 1e-3, `norm ${norm}`);
  const plain = await openai.embeddings.create({ model, input: 'hello', encoding_format: 'float' });
  assert.ok(Math.abs(plain.data[0].embedding[0] - r.data[0].embedding[0]) < 1e-6);
});

test('openai: a request with tools streams chunks that add up to the whole answer', async () => {
  const request = { model, messages, tools, tool_choice: 'auto', max_tokens: 16, seed: 7 };
  const whole = await openai.chat.completions.create(request);
  const stream = await openai.chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } });
  let text = '', finish = null, usage = null, first = null;
  const calls = [];
  for await (const chunk of stream) {
    assert.equal(chunk.object, 'chat.completion.chunk');
    usage = chunk.usage ?? usage;
    if (chunk.choices.length === 0) continue;
    const { delta, finish_reason: reason, index } = chunk.choices[0];
    assert.equal(index, 0);
    first ??= delta;
    text += delta.content ?? '';
    for (const piece of delta.tool_calls ?? []) {
      calls[piece.index] ??= { id: piece.id, name: piece.function.name, arguments: '' };
      calls[piece.index].arguments += piece.function.arguments;
    }
    finish = reason ?? finish;
  }
  assert.deepEqual(first, { role: 'assistant', content: '' });
  assert.equal(text, whole.choices[0].message.content ?? '');
  assert.equal(calls.length, whole.choices[0].message.tool_calls?.length ?? 0);
  assert.equal(finish, whole.choices[0].finish_reason);
  assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
  const final = await openai.chat.completions.stream({ ...request, parallel_tool_calls: false }).finalChatCompletion();
  assert.equal(final.choices[0].message.role, 'assistant');
});

test('openai: a talk in which tools were called goes on; a call that must come is refused by name', async () => {
  const called = { role: 'assistant', content: null, tool_calls: [
    { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } }] };
  const r = await openai.chat.completions.create({
    model, tools, max_tokens: 4, messages: [...messages, called, { role: 'tool', tool_call_id: 'call_1', content: 'sunny' }] });
  assert.ok(r.usage.prompt_tokens > 0);
  await assert.rejects(openai.chat.completions.create({ model, messages, tools, tool_choice: 'required' }), (e) => {
    assert.ok(e instanceof OpenAI.BadRequestError);
    assert.equal(e.param, 'tool_choice');
    return true;
  });
});

test('ai: generateText and streamText with tools', async () => {
  const weather = tool({ description: 'The weather of a city.', inputSchema: jsonSchema(parameters), execute: async () => 'sunny' });
  const request = { model: provider(model), prompt: 'What is the weather in Paris?', tools: { weather }, maxOutputTokens: 10,
    maxRetries: 0 };
  const whole = await generateText(request);
  assert.equal(typeof whole.text, 'string');
  const stream = streamText(request);
  const kinds = new Set();
  for await (const part of stream.fullStream) kinds.add(part.type);
  assert.ok(!kinds.has('error'), [...kinds].join(' '));
  assert.ok(kinds.has('finish'));
  assert.ok(['stop', 'length', 'tool-calls'].includes(await stream.finishReason));
});

test('ai: generateText and streamText', async () => {
  const whole = await generateText({ model: provider(model), prompt: 'Tell me a story.', maxOutputTokens: 10, maxRetries: 0 });
  assert.equal(typeof whole.text, 'string');
  assert.ok(whole.usage.outputTokens > 0);
  const stream = streamText({ model: provider(model), prompt: 'Tell me a story.', maxOutputTokens: 10, maxRetries: 0 });
  let text = '';
  for await (const piece of stream.textStream) text += piece;
  assert.equal(text, await stream.text);
  assert.ok((await stream.usage).outputTokens > 0);
});

test('ai: abort, errors and embeddings', async () => {
  const controller = new AbortController();
  const stream = streamText({ model: provider(model), prompt: 'Tell me a story.', maxOutputTokens: 200,
    abortSignal: controller.signal, maxRetries: 0, onError() {} });
  for await (const _ of stream.textStream) controller.abort();
  await assert.rejects(generateText({ model: provider('absent'), prompt: 'x', maxRetries: 0 }), /absent/);
  const { embedding } = await embed({ model: provider.textEmbeddingModel(model), value: 'hello', maxRetries: 0 });
  assert.ok(embedding.length > 0);
});
