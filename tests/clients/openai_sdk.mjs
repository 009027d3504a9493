// OpenAI's SDK: a plain answer, a tool that is called, and a stream that ends the task. Prints what came as JSON.
import { writeFileSync } from "node:fs";
import OpenAI from "openai";

const { PROXY_URL, PROXY_KEY, PROXY_MODEL: model, PROMPT } = process.env;
const client = new OpenAI({ baseURL: `${PROXY_URL}/v1`, apiKey: PROXY_KEY, maxRetries: 0 });
const text = { type: "string" };
const parameters = { type: "object", properties: { path: text, content: text }, required: ["path", "content"] };
const tools = [{ type: "function", function: { name: "write_proof", description: "Writes a file.", parameters } }];

const plain = await client.chat.completions.create({ model, messages: [{ role: "user", content: "Hello" }] });

const messages = [{ role: "user", content: PROMPT }];
const called = await client.chat.completions.create({ model, messages, tools });
const [call] = called.choices[0].message.tool_calls;
const { path, content } = JSON.parse(call.function.arguments);
writeFileSync(path, content);
messages.push(called.choices[0].message, { role: "tool", tool_call_id: call.id, content: "written" });

let done = "";
let usage = null;
const asked = { model, messages, tools, stream: true, stream_options: { include_usage: true } };
for await (const chunk of await client.chat.completions.create(asked)) {
  done += chunk.choices[0]?.delta.content ?? "";
  usage = chunk.usage ?? usage;
}
const streamed = usage.completion_tokens > 0;
console.log(
  JSON.stringify({ plain: plain.choices[0].message.content, tool: call.function.name, done, streamed }),
);
