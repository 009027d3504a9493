// Node 20 or newer, without packages. With the SDK (npm install openai) the two lines that change are:
//   const client = new OpenAI({ baseURL: `${process.env.PROXY_URL}/v1`, apiKey: process.env.PROXY_KEY });
//
//   PROXY_URL=http://127.0.0.1:8484 PROXY_KEY=sx_live_… node openai_chat.mjs

const answer = await fetch(`${process.env.PROXY_URL}/v1/chat/completions`, {
  method: "POST",
  headers: { authorization: `Bearer ${process.env.PROXY_KEY}`, "content-type": "application/json" },
  body: JSON.stringify({
    model: process.env.PROXY_MODEL ?? "demo-small",
    messages: [{ role: "user", content: "Hello!" }],
    max_tokens: 50,
  }),
});
const body = await answer.json();
if (!answer.ok) throw new Error(`${answer.status} ${body.error.code}: ${body.error.message}`);
console.log(body.choices[0].message.content);
console.log("cost in USD:", answer.headers.get("x-softix-cost-usd"));
