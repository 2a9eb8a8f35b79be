"use strict";

// A server that speaks Cosmos DB's protocol, in memory: @vercel/cosmosdb-server with the handlers mended that answer
// otherwise than Cosmos DB does. tests/cosmos_server/test_conformance.py says what is expected of it.
//
// Prints the port on which it listens: any free one.

const LIBRARY = "@vercel/cosmosdb-server/lib";
const MAX_BATCH = 100;

const operations = require(`${LIBRARY}/handler/_document-operations`);
const readItems = require(`${LIBRARY}/handler/_read-items`).default;
const readJson = require(`${LIBRARY}/json`).default;

const NOT_FOUND = { code: "NotFound", message: "Entity with the specified id does not exist in the system." };

class Refused extends Error {}

/** Put our handler in the place of the library's. Must happen before the routes are loaded. */
function mend(name, handler) {
  require(`${LIBRARY}/handler/${name}`).default = async (account, req, res, params) => {
    const collection = account.database(params.dbId).collection(params.collId);
    if (!collection.read()) {
      return answer(res, 404, NOT_FOUND);
    }
    try {
      return await handler(collection, req, res, params);
    } catch (error) {
      if (error instanceof Refused) {
        return answer(res, 400, { code: "BadRequest", message: error.message });
      }
      throw error;
    }
  };
}

function answer(res, status, body) {
  res.statusCode = status;
  return body;
}

/** The partition that the request names, or undefined. */
function partitionOf(req) {
  const header = req.headers["x-ms-documentdb-partitionkey"];
  return header === undefined ? undefined : JSON.parse(header)[0];
}

/** The library takes a document's word for its partition; Cosmos DB compares it with the header. */
function requireOwnPartition(collection, document, partition) {
  if (collection.documents._getPartition(document) !== partition) {
    throw new Refused("PartitionKey extracted from document doesn't match the one specified in the header");
  }
}

// The library fails with 500 where there is no such document.
mend("read-document", (collection, req, res, { docId }) => {
  const found = collection.document(docId, partitionOf(req)).read();
  return found ? answer(res, 200, found) : answer(res, 404, NOT_FOUND);
});

mend("create-document", async (collection, req, res) => {
  const document = await readJson(req);
  requireOwnPartition(collection, document, partitionOf(req));
  const result = operations.createOperation(collection, { resourceBody: document });
  return answer(res, result.statusCode, result.body);
});

// The library refuses a query of one partition, or answers it from all of them; and it begins again at a continuation
// that it cannot read.
mend("query-documents", (collection, req, res) =>
  readItems(req, res, "Documents", async ({ continuation, maxItemCount }) => {
    const query = await readJson(req);
    if (req.headers["x-ms-continuation"] && !continuation) {
      throw new Refused("Invalid continuation token");
    }
    const documents = scoped(collection.documents, req);
    try {
      return documents.query(query, { continuation, maxItemCount });
    } catch (error) {
      throw error.badRequest ? new Refused(error.message) : error;
    }
  })
);

/** The documents among which a query looks: those of its partition, or all when it says that it crosses partitions. */
function scoped(documents, req) {
  const partition = partitionOf(req);
  if (partition === undefined) {
    if (!/^true$/i.test(req.headers["x-ms-documentdb-query-enablecrosspartition"] || "")) {
      throw new Refused("Cross partition query is required but disabled");
    }
    return documents;
  }
  const view = Object.create(documents);
  view._data = new Map(
    [...documents._data].filter(([, item]) => documents._getPartition(item.read()) === partition)
  );
  return view;
}

const BATCH_OPERATIONS = {
  Create: operations.createOperation,
  Upsert: operations.upsertOperation,
  Read: operations.readOperation,
  Replace: operations.replaceOperation,
  Delete: operations.deleteOperation,
};

// The library leaves behind what a failing batch did before, knows no partition in it and answers 200 to a failure.
mend("batch-documents", async (collection, req, res) => {
  const wanted = await readJson(req);
  const partition = partitionOf(req);
  if (!Array.isArray(wanted) || wanted.length === 0 || wanted.length > MAX_BATCH) {
    throw new Refused(`A batch has 1 to ${MAX_BATCH} operations`);
  }
  wanted.forEach(operation => requireValid(collection, operation, partition));
  // Nothing is awaited from here on: no other request sees a half-made batch.
  const undo = [];
  const results = [];
  for (const operation of wanted) {
    undo.push(remember(collection, operation, partition));
    const result = perform(collection, operation, req);
    if (result.statusCode >= 400) {
      undo.reverse().forEach(restore => restore());
      return answer(res, 207, failed(wanted.length, results.length, result.statusCode));
    }
    results.push({ statusCode: result.statusCode, requestCharge: 1, eTag: (result.body || {})._etag, resourceBody: result.body });
  }
  return answer(res, 200, results);
});

function requireValid(collection, operation, partition) {
  if (!(operation.operationType in BATCH_OPERATIONS)) {
    throw new Refused(`Operation type '${operation.operationType}' is not supported in a batch`);
  }
  if (operation.resourceBody) {
    requireOwnPartition(collection, operation.resourceBody, partition);
  }
}

function perform(collection, operation, req) {
  const run = BATCH_OPERATIONS[operation.operationType];
  return run(collection, { ...operation, partitionKey: req.headers["x-ms-documentdb-partitionkey"] });
}

/** A function that puts the operation's document back to what it is now. */
function remember(collection, operation, partition) {
  const id = operation.id || operation.resourceBody.id;
  const { documents } = collection;
  const before = collection.document(id, partition).read();
  return () => {
    if (collection.document(id, partition).read()) {
      documents.delete(id, partition);
    }
    if (before) {
      documents._set(before);
    }
  };
}

/** Cosmos DB's answer to a failed batch: the operation that failed with its status, all others with 424. */
function failed(count, index, statusCode) {
  return Array.from({ length: count }, (_, i) => ({ statusCode: i === index ? statusCode : 424, requestCharge: 0 }));
}

const server = require(LIBRARY).createHttpServer({ keepAlive: true });
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
