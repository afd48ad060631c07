// A GraphQL server with subscriptions over graphql-transport-ws: publish(topic, data) and message(topic).
import {createServer} from 'node:http';
import {buildSchema} from 'graphql';
import {useServer} from 'graphql-ws/use/ws';
import {WebSocketServer} from 'ws';

const topics = new Map(); // topic → functions that receive its messages

// messages yields the messages of a topic until the client unsubscribes.
async function* messages(topic) {
  const queue = [];
  let wake = () => {};
  const receive = data => { queue.push(data); wake(); };
  if (!topics.has(topic)) topics.set(topic, new Set());
  topics.get(topic).add(receive);
  try {
    for (;;) {
      while (queue.length > 0) yield {message: queue.shift()};
      await new Promise(resolve => { wake = resolve; });
    }
  } finally {
    topics.get(topic).delete(receive);
  }
}

const schema = buildSchema(`
  type Query { ok: Boolean }
  type Mutation { publish(topic: String!, data: String!): Boolean }
  type Subscription { message(topic: String!): String }
`);
schema.getSubscriptionType().getFields().message.subscribe = (_, {topic}) => messages(topic);
const roots = {
  mutation: {publish: ({topic, data}) => { for (const receive of topics.get(topic) ?? []) receive(data); return true; }},
  subscription: {},
};
const http = createServer();
useServer({schema, roots}, new WebSocketServer({server: http, path: '/graphql'}));
http.listen({port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096}, () => console.log('listening'));
