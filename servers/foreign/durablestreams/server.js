// The reference server of Durable Streams, in memory. It has no options for the two settings of node:http below.
import {Server} from 'node:net';
import {DurableStreamTestServer} from '@durable-streams/server';

const {listen} = Server.prototype;
Server.prototype.listen = function (port, host, done) {
  return listen.call(this, {port, host, backlog: 4096}, done); // by default 511 connections wait to be accepted
};
const server = new DurableStreamTestServer({port: Number(process.argv[2]), host: '127.0.0.1', longPollTimeout: 25000});
await server.start();
server.server.keepAliveTimeout = 3600_000; // Node closes a connection after 5 s between two requests, by default
console.log('listening');
