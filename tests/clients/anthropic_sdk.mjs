// Anthropic's SDK: a plain answer, a tool that is called, and a stream that ends the task. Prints what came as JSON.
import { writeFileSync } from "node:fs";
import Anthropic from "@anthropic-ai/sdk";

const { PROXY_URL, PROXY_KEY, PROXY_MODEL: model, PROMPT } = process.env;
const client = new Anthropic({ baseURL: PROXY_URL, apiKey: PROXY_KEY, maxRetries: 0 });
const text = { type: "string" };
const input_schema = { type: "object", properties: { path: text, content: text }, required: ["path", "content"] };
const tools = [{ name: "write_proof", description: "Writes a file.", input_schema }];
const max_tokens = 1000;

const plain = await client.messages.create({ model, max_tokens, messages: [{ role: "user", content: "Hello" }] });

const messages = [{ role: "user", content: PROMPT }];
const called = await client.messages.create({ model, max_tokens, messages, tools });
const call = called.content.find((block) => block.type === "tool_use");
writeFileSync(call.input.path, call.input.content);
const result = { type: "tool_result", tool_use_id: call.id, content: "written" };
messages.push({ role: "assistant", content: called.content }, { role: "user", content: [result] });

let done = "";
const stream = client.messages.stream({ model, max_tokens, messages, tools });
stream.on("text", (piece) => {
  done += piece;
});
const last = await stream.finalMessage();
const streamed = last.usage.output_tokens > 0 && last.content[0].text === done;
console.log(JSON.stringify({ plain: plain.content[0].text, tool: call.name, done, streamed }));
