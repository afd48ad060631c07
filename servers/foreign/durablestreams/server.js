// The reference server of Durable Streams, in memory.
import {DurableStreamTestServer} from '@durable-streams/server';

const server = new DurableStreamTestServer({port: Number(process.argv[2]), host: '127.0.0.1', longPollTimeout: 25000});
await server.start();
server.server.keepAliveTimeout = 3600_000; // Node closes a connection after 5 s between two requests, by default
console.log('listening');
