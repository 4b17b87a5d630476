package backend

// dictionary1 is the text that encoding '1' of stored records refers to: the
// parts that SCIM bodies have in common, in the order clients usually send
// them, the most frequent ones last. It holds nothing of any customer.
//
// Stored records cannot be read without it: never change a byte of it. A
// better one becomes dictionary 2 under a flag of its own.
const dictionary1 = `"http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"` +
	`"urn:okta:` + `"urn:ietf:params:scim:schemas:extension:` + `"application/scim+json"` +
	`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"` +
	`","members":[{"value":"` + `"$ref":"` + `"type":"Group"` + `"type":"User"` +
	`"x509Certificates":[{"value":"` + `"entitlements":[{"value":"` + `"roles":[{"value":"` +
	`","display":"` + `"photos":[{"value":"https://` + `","type":"photo"` + `","type":"thumbnail"` +
	`"ims":[{"value":"` + `"type":"xmpp"` + `"type":"skype"` + `"profileUrl":"https://` +
	`"honorificPrefix":"` + `"honorificSuffix":"` + `"middleName":"` + `"nickName":"` + `"password":"` +
	`"type":"WindowsAzureActiveDirectoryRole"` + `"type":"fax"}` + `"type":"pager"}` + `"type":"other"}` +
	`"preferredLanguage":"en-US"` + `"preferredLanguage":"fr-FR"` + `"locale":"fr-FR"` + `"locale":"en_US"` +
	`"timezone":"America/Los_Angeles"` + `"timezone":"America/New_York"` + `"timezone":"Europe/Paris"` +
	`"postalCode":"` + `"region":"` + `"country":"FR"` + `"country":"US"` +
	`","costCenter":"` + `","organization":"` + `","division":"` + `Engineering` + `Marketing` + `Finance` +
	`Support` + `Sales` + `Human Resources` + `Operations` +
	`","manager":{"value":"` + `","$ref":"../Users/` + `","displayName":"` + `"}}` +
	`"lifecycle":"active"` + `"licences":[{"product":"` + `"sources":["` + `"issues":[` + `"state":"` +
	// One full user, in the order of the identity providers.
	`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User",` +
	`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],` +
	`"id":"` + `","externalId":"` + `","userName":"` +
	`","name":{"formatted":"` + `","familyName":"` + `","givenName":"` + `"},` +
	`"displayName":"` + `","nickName":"` + `","profileUrl":"` +
	`","title":"` + `","userType":"Employee` + `","preferredLanguage":"en` +
	`","locale":"en-US","timezone":"Europe/` + `","active":false` + `","active":true,` +
	`"emails":[{"value":"` + `@example.com","type":"work","primary":true},` +
	`{"value":"` + `","type":"home","primary":false}],` + `{"primary":true,"type":"work","value":"` + `","type":"home"}],` +
	`"addresses":[{"type":"work","streetAddress":"` + `","locality":"` + `","region":"` +
	`","postalCode":"` + `","country":"` + `","formatted":"` + `","primary":true}],` +
	`"phoneNumbers":[{"value":"tel:+` + `{"value":"+1` + `","type":"mobile"},` + `","type":"work"}],` +
	`"groups":[],` +
	`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{` +
	`"employeeNumber":"` + `","costCenter":"` + `","organization":"` + `","division":"` +
	`","department":"` + `","manager":{"value":"` + `","displayName":"` + `"}}}`
