// Express with the settings of both ports: nothing that parses, guesses or tells without being asked.
import express from 'express';
import type { Express } from 'express';

export function createExpress(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.enable('case sensitive routing');
  app.enable('strict routing');
  return app;
}
