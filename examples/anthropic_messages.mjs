// Node 20 or newer, without packages. With the SDK (npm install @anthropic-ai/sdk) the two lines that change are:
//   const client = new Anthropic({ baseURL: process.env.PROXY_URL, apiKey: process.env.PROXY_KEY });
//
//   PROXY_URL=http://127.0.0.1:8484 PROXY_KEY=sx_live_… node anthropic_messages.mjs

const answer = await fetch(`${process.env.PROXY_URL}/v1/messages`, {
  method: "POST",
  headers: {
    "x-api-key": process.env.PROXY_KEY,
    "anthropic-version": "2023-06-01",
    "content-type": "application/json",
  },
  body: JSON.stringify({
    model: process.env.PROXY_MODEL ?? "demo-small",
    messages: [{ role: "user", content: "Hello!" }],
    max_tokens: 30,
    stream: true,
  }),
});
if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
let rest = "";
for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + piece).split("\n");
  rest = lines.pop();
  for (const line of lines) {
    if (!line.startsWith("data: ")) continue;
    const event = JSON.parse(line.slice(6));
    if (event.type === "content_block_delta") process.stdout.write(event.delta.text);
  }
}
console.log();
