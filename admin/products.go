package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

const productsPath = "/api/v1/products"

// Product is one SKU of the platform's catalogue.
type Product struct {
	SKU          string   `json:"sku" example:"calling"`
	Name         string   `json:"name" example:"Calling"`
	Paid         bool     `json:"paid" example:"true" doc:"Paid products need a subscription; others are free and unbounded."`
	Tier         string   `json:"tier,omitempty" example:"professional"`
	Capabilities []string `json:"capabilities" example:"calling,messaging"`
	Package      bool     `json:"package" example:"true" doc:"Whether it is a package; a user has at most one (BR-176)."`
	Exclusive    []string `json:"exclusiveWith" doc:"SKUs that nobody has together with it (BR-153)."`
	Requires     []string `json:"requires" doc:"SKUs one of which is needed beside it (BR-153)."`
}

// NewProduct says what a product shall be.
type NewProduct struct {
	Name         string   `json:"name" minLength:"1" maxLength:"100" example:"Calling"`
	Paid         bool     `json:"paid,omitempty" example:"true"`
	Tier         string   `json:"tier,omitempty" maxLength:"40" example:"professional"`
	Capabilities []string `json:"capabilities,omitempty" maxItems:"10" example:"calling,messaging" doc:"calling, meetings, messaging."`
	Package      bool     `json:"package,omitempty" example:"true"`
	Exclusive    []string `json:"exclusiveWith,omitempty" maxItems:"100"`
	Requires     []string `json:"requires,omitempty" maxItems:"100"`
}

// ProductPath is embedded in the input of operations on one product.
type ProductPath struct {
	asked
	SKU string `path:"sku" maxLength:"63" example:"calling"`
}

type (
	askProducts struct{ asked }
	putProduct  struct {
		ProductPath
		Conditional
		Body NewProduct
	}
	deleteProduct struct {
		ProductPath
		Conditional
	}
	putOut[T any] struct {
		Status int
		ETag   string `header:"ETag" doc:"For If-Match."`
		Body   T
	}
)

func (d *door) registerProducts(api huma.API) {
	const one = productsPath + "/{sku}"
	register(api, d.needs(anyArea, operation("list-products", http.MethodGet, productsPath, "List the platform's catalogue of products", 200)), d.listProducts)
	register(api, d.needs(anyArea, operation("get-product", http.MethodGet, one, "Read a product of the catalogue", 200, 404)), d.getProduct)
	register(api, d.needs(resources.AreaPlatform, operation("put-product", http.MethodPut, one, "Write a product into the catalogue (platform operator)", 200, 201, 409, 412)), d.putProduct)
	register(api, d.needs(resources.AreaPlatform, operation("delete-product", http.MethodDelete, one, "Take a product out of the catalogue (platform operator)", 204, 404, 409, 412)), d.deleteProduct)
}

func wireProduct(p resources.Product) Product {
	return Product{
		SKU: p.SKU, Name: p.Name, Paid: p.Paid, Tier: p.Tier, Capabilities: texts(p.Capabilities), Package: p.Package,
		Exclusive: texts(p.Exclusive), Requires: texts(p.Requires),
	}
}

// texts makes a list of strings that is never null.
func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// named makes values of a type of the domain of a list of strings.
func named[T ~string](list []string) []T {
	var out []T
	for _, v := range list {
		out = append(out, T(v))
	}
	return out
}

func (d *door) listProducts(ctx context.Context, in *askProducts) (*listOut[Product], error) {
	all, err := d.directory.Products(ctx, in.caller)
	if err != nil {
		return nil, err
	}
	return listed(all, "", wireProduct), nil
}

func (d *door) getProduct(ctx context.Context, in *ProductPath) (*one[Product], error) {
	all, err := d.directory.Products(ctx, in.caller)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if resources.FoldSKU(p.SKU) == resources.FoldSKU(in.SKU) {
			tag, err := tagOf(p)
			return &one[Product]{ETag: tag, Body: wireProduct(p)}, err
		}
	}
	return nil, missing("product")
}

func (d *door) putProduct(ctx context.Context, in *putProduct) (*putOut[Product], error) {
	c := in.caller
	c.Seen = in.seen()
	b := &in.Body
	p := resources.Product{
		SKU: in.SKU, Name: b.Name, Paid: b.Paid, Tier: b.Tier, Capabilities: named[resources.Capability](b.Capabilities),
		Package: b.Package, Exclusive: b.Exclusive, Requires: b.Requires,
	}
	created, err := d.directory.PutProduct(ctx, c, p)
	if err != nil {
		return nil, err
	}
	stored, err := d.getProduct(ctx, &in.ProductPath)
	if err != nil {
		return nil, err
	}
	return put(stored.ETag, stored.Body, created), nil
}

func (d *door) deleteProduct(ctx context.Context, in *deleteProduct) (*nothing, error) {
	c := in.caller
	c.Seen = in.seen()
	return nil, d.directory.DeleteProduct(ctx, c, in.SKU)
}

// put is the answer to a PUT: 201 for what is new.
func put[T any](tag string, body T, created bool) *putOut[T] {
	out := &putOut[T]{Status: http.StatusOK, ETag: tag, Body: body}
	if created {
		out.Status = http.StatusCreated
	}
	return out
}

// missing is the refusal for something that is not there.
func missing(what string) error {
	return &resources.Error{Code: resources.CodeNotFound, Detail: "There is no such " + what + "."}
}
