// The reference server of Durable Streams, in memory.
import {DurableStreamTestServer} from '@durable-streams/server';

const server = new DurableStreamTestServer({port: Number(process.argv[2]), host: '127.0.0.1', longPollTimeout: 25000});
await server.start();
console.log('listening');
